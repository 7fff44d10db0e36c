// PageDirectory: the list of the pages of one slab or epoch, by which a series finds its pages without touching any
// other, and by which a page that is gone is missed. Format: storage/FORMAT.md, "Directory of an epoch".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"
#include "storage/rocks/keys.h"

namespace tidemark::storage::partition {

struct PageInfo {
  uint8_t tier = rocks::kRawTier;
  model::MeasurementId measurement{};
  model::FieldId field{};
  model::SeriesId first_series{};
  model::SeriesId last_series{};
  uint32_t part = 0;
  uint32_t bytes = 0;
  uint64_t rows = 0;
  model::TimeRange range;
  friend bool operator==(const PageInfo&, const PageInfo&) = default;
};

// Pages [begin, end) of a directory.
struct PageRange {
  size_t begin = 0;
  size_t end = 0;
  [[nodiscard]] bool empty() const { return begin == end; }
};

class PageDirectory {
 public:
  // `pages` sorted by (tier, measurement, field, first_series, part). tier_widths_ns[i] is the width of tier i + 1.
  explicit PageDirectory(std::vector<PageInfo> pages = {}, std::vector<int64_t> tier_widths_ns = {});

  [[nodiscard]] const std::vector<PageInfo>& pages() const { return pages_; }
  [[nodiscard]] const std::vector<int64_t>& tier_widths_ns() const { return tier_widths_ns_; }
  // Of all raw rows; empty when there are none.
  [[nodiscard]] model::TimeRange range() const { return range_; }
  [[nodiscard]] uint64_t rows() const { return rows_; }    // of raw pages
  [[nodiscard]] uint64_t bytes() const { return bytes_; }  // of all pages

  [[nodiscard]] PageRange OfField(uint8_t tier, model::MeasurementId measurement, model::FieldId field) const;
  // The pages among `field` (from OfField) that may hold `series`.
  [[nodiscard]] PageRange OfSeries(PageRange field, model::SeriesId series) const;

  [[nodiscard]] std::string Encode() const;
  // Errors: kCorruption.
  static Result<PageDirectory> Decode(std::string_view bytes);

 private:
  std::vector<PageInfo> pages_;
  std::vector<int64_t> tier_widths_ns_;
  model::TimeRange range_{model::Timestamp::Max(), model::Timestamp::Min()};
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace tidemark::storage::partition
