// ScanCursor: the ColumnCursor of a view: epochs, slabs and heads of each series, merged.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/database/database.h"
#include "storage/partition/column_merge.h"
#include "storage/partition/page_source.h"
#include "storage/storage.h"

namespace tidemark::storage::view {

// A head set and how much of it is seen.
struct MarkedSet {
  std::shared_ptr<const database::StagedSet> set;
  head::HeadMark mark;
};

// What a view sees. Immutable.
struct Pinned {
  std::shared_ptr<const database::Database> database;
  std::shared_ptr<const database::DatabaseState> state;
  std::vector<MarkedSet> heads;  // frozen sets, then the live one
  retention::MaskList masks;     // of deletions and of the retention of selectors
  std::atomic<uint64_t>* corrupt_pages = nullptr;
};

// Reads series out of everything that a view sees. Not thread-safe.
class SeriesReader {
 public:
  // Sources outside `range` are left alone. `refs`: the series that will be read, ascending. All outlive this.
  SeriesReader(const Pinned* pinned, model::TimeRange range, std::span<const model::SeriesRef> refs);

  // The rows of `ref` in the range. Valid until the next call.
  Result<model::Column> Read(model::SeriesRef ref);
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_.texts(); }

 private:
  const Pinned* const pinned_;
  const model::TimeRange range_;
  partition::ScanWarnings warnings_;
  struct Pages {
    std::unique_ptr<partition::PageSource> source;
    retention::SourceMasks masks;
  };
  struct Heads {
    const MarkedSet* marked;
    retention::SourceMasks masks;
  };
  std::vector<Pages> pages_;  // ascending precedence
  std::vector<Heads> heads_;  // newer than all pages
  model::FieldId field_{};
  model::MeasurementId measurement_{};
  model::FieldType type_ = model::FieldType::kFloat;
  partition::BufferPool buffers_;
  std::vector<model::Column> pieces_;
  partition::ColumnMerger merger_;
};

class ScanCursor final : public ColumnCursor {
 public:
  ScanCursor(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs, model::TimeRange range)
      : pinned_(std::move(pinned)), refs_(refs), reader_(pinned_.get(), range, refs) {}

  Result<bool> Next(model::Column* column) override {
    if (at_ == refs_.size()) return false;
    TM_TRY_ASSIGN(*column, reader_.Read(refs_[at_]));
    ++at_;
    return true;
  }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return reader_.warnings(); }

 private:
  const std::shared_ptr<const Pinned> pinned_;
  const std::span<const model::SeriesRef> refs_;
  SeriesReader reader_;
  size_t at_ = 0;
};

}  // namespace tidemark::storage::view
