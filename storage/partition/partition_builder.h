// PartitionBuilder: series in, the pages of one partition out, rollup tiers included.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/base/deadline.h"
#include "storage/codec/int_codec.h"
#include "storage/head/head_set.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/page/page_writer.h"
#include "storage/partition/partition_bounds.h"
#include "storage/partition/partition_pages.h"
#include "storage/partition/series_list.h"
#include "storage/partition/slab.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/tier_writer.h"
#include "storage/storage.h"

namespace tidemark::storage::partition {

// The widths of the tiers of one column, ascending, each once: the first that is worth its bytes (at least
// rollup::kMinRowsPerBucket rows per bucket on average), the next one (rollup::kTierFactor times as wide), and those
// that the database names. None for strings and bools.
std::vector<int64_t> TierWidthsOf(const model::Column& column, std::span<const RollupTier> named);

struct BuildOptions {
  bool tiers = false;                  // whether to build rollup tiers
  std::vector<RollupTier> named = {};  // that the database names
  codec::Effort effort = codec::Effort::kFast;
  // false: only the named tiers are wanted, and sketches with them, of rows that are about to go.
  bool raw = true;
};

// Not thread-safe.
class PartitionBuilder {
 public:
  PartitionBuilder(PartitionBounds bounds, BuildOptions options);

  // Ascending by (measurement, series), each series once; columns ascending by field.
  void Add(model::MeasurementId measurement, model::SeriesId series, std::span<const model::Column> columns);
  // The pages in any order (SortAndList sorts them).
  PartitionPages Finish();

 private:
  void AddTiers(model::SeriesId series, const model::Column& column);
  [[nodiscard]] std::vector<int64_t> WidthsOf(const model::Column& column) const;
  void FinishMeasurement();
  // Whether anything of the column comes into a page.
  [[nodiscard]] bool Kept(const model::Column& column) const { return options_.raw || !WidthsOf(column).empty(); }

  const BuildOptions options_;
  PartitionPages out_;
  SeriesListBuilder series_;
  const page::WriterOptions writer_options_;
  page::TimelineWriter timelines_;
  model::MeasurementId measurement_{};
  std::optional<page::MeasurementWriter> writer_;
  std::map<int64_t, rollup::TierWriter> tier_writers_;  // by width
  std::map<int64_t, rollup::SketchWriter> sketch_writers_;
  std::map<int64_t, std::vector<PartitionPage>> sketch_pages_;
  // Pages by width: tiers are numbered when all widths are known.
  std::map<int64_t, std::vector<PartitionPage>> tier_pages_;
};

// The rows of a complete frozen set that fall into one partition, as pages without tiers. kCancelled once `deadline`,
// which may be null, has passed.
Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds,
                                 const Deadline* deadline = nullptr);

}  // namespace tidemark::storage::partition
