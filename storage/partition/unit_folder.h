// UnitFolder: folds units of a plan, one after the other, on one thread.
#pragma once

#include <memory>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/page/page_writer.h"
#include "storage/partition/column_merge.h"
#include "storage/partition/fold.h"
#include "storage/partition/fold_plan.h"
#include "storage/partition/page_collector.h"
#include "storage/partition/page_source.h"
#include "storage/partition/series_list.h"
#include "storage/partition/tier_builder.h"

namespace tidemark::storage::partition {

// What the units of one fold share.
struct FoldShared {
  const std::vector<std::shared_ptr<const PageSet>>& sources;
  const std::vector<const PageDirectory*>& directories;  // of the sources
  const std::vector<retention::SourceMasks>& masks;
  const FoldOptions& options;
  const BuildOptions& build;
  std::atomic<uint64_t>* corrupt_pages;
  page::TimelineWriter* timelines;
  PageCollector* out;
};

// An error once one of the ends of `options` has come.
Result<void> CheckGoesOn(const FoldOptions& options);

// Not thread-safe.
class UnitFolder {
 public:
  // `shared` outlives it.
  explicit UnitFolder(const FoldShared* shared);

  // Its pages go to FoldShared::out; the series that have rows of the field are appended to `series`.
  Result<void> Run(const FoldUnit& unit, std::vector<SeriesRun>* series);

 private:
  // Everything that is read of one field: one open page per source that has some.
  struct FieldReader {
    model::FieldId field{};
    struct OfSource {
      size_t index;
      std::unique_ptr<PageSource> pages;
    };
    std::vector<OfSource> sources = {};
    ColumnMerger merger = {};
    model::Column column = {};  // of the series at hand
  };

  FieldReader Open(const FoldUnit& unit, model::FieldId field);
  // The series of the unit that have rows, ascending.
  Result<std::vector<model::SeriesId>> SeriesOf(const FoldUnit& unit) const;
  Result<void> Read(const FoldUnit& unit, model::SeriesId series, model::TimeRange range, FieldReader* reader);
  // The rows of `own` that none of a younger field of its name takes the place of.
  model::Column LeftBeside(const FieldReader& own);
  // What comes into the pages of the rows of a series inside `range`.
  Result<model::Column> Merge(const FoldUnit& unit, model::SeriesId series, model::TimeRange range, FieldReader* own);
  // Where a series is cut that is too long to be held whole: the last time of each piece but the last one, ascending.
  // Empty: it is not. Otherwise tiers_ have begun with it.
  Result<std::vector<int64_t>> CutsOf(const FoldUnit& unit, model::SeriesId series, FieldReader* own);
  Result<void> FoldSeries(const FoldUnit& unit, model::SeriesId series, FieldReader* own,
                          page::MeasurementWriter* writer, std::vector<SeriesRun>* runs);
  Result<void> FoldPieces(const FoldUnit& unit, model::SeriesId series, const std::vector<int64_t>& cuts,
                          FieldReader* own, page::MeasurementWriter* writer, std::vector<SeriesRun>* runs);
  void NoteRows(const model::Column& column);
  void CountMemory(const FieldReader& own);

  const FoldShared& shared_;
  ScanWarnings warnings_;
  MemoryShare memory_;
  TierBuilder tiers_;
  BufferPool buffers_;
  std::vector<model::Column> pieces_;
  std::vector<PageSource::RowSpan> spans_;
  std::vector<FieldReader> younger_;
  model::ColumnBuffer left_;  // what younger fields leave of a column, where they take anything
  model::TimeRange rows_{model::Timestamp::Max(), model::Timestamp::Min()};
};

}  // namespace tidemark::storage::partition
