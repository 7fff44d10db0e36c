// PageBuilder: collects the entries of one page and seals it. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/codec/codec_id.h"
#include "storage/model/field.h"
#include "storage/model/ids.h"
#include "storage/page/directory.h"
#include "storage/page/encoded_page.h"
#include "storage/page/page_reader.h"

namespace tidemark::page {

class PageBuilder {
 public:
  PageBuilder(PageKind kind, model::FieldType type, model::FieldId field) : kind_(kind), type_(type), field_(field) {}

  // Adds an entry; its frame is a copy, which programs read since `since`. frame_offset is not looked at. Series
  // ascending, and rows of one series ascending in time.
  void Add(const Entry& entry, std::string_view frame, codec::Since since = codec::Since::kStore1);

  [[nodiscard]] bool empty() const { return series().empty(); }
  [[nodiscard]] size_t frame_bytes() const { return frames_.size(); }

  // The page of all entries so far (at least one). The builder is empty afterwards.
  EncodedPage Seal();

 private:
  [[nodiscard]] const std::vector<int64_t>& series() const { return columns_[0]; }
  std::vector<int64_t>& column(DirectoryColumn column) { return columns_[static_cast<size_t>(column)]; }

  PageKind kind_;
  model::FieldType type_;
  model::FieldId field_;
  std::array<std::vector<int64_t>, kDirectoryColumns> columns_;
  std::string frames_;
  model::TimeRange range_{model::Timestamp::Max(), model::Timestamp::Min()};
  uint64_t rows_ = 0;
  codec::Since since_ = codec::Since::kStore1;
};

}  // namespace tidemark::page
