// PartitionBuilder: series in, the pages of one partition out, rollup tiers included.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/engine/database_state.h"
#include "storage/engine/slab.h"
#include "storage/head/head_set.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/page/page_writer.h"
#include "storage/rollup/tier_writer.h"

namespace tidemark::storage {

// Widths of the rollup tiers that epochs carry, ascending.
inline constexpr int64_t kTierWidthNs = kNsPerHour;

// Whether a column is dense enough for a tier of this width to be worth its bytes: at least
// rollup::kMinRowsPerBucket rows per bucket on average. Strings and bools never are.
bool WorthTier(const model::Column& column, int64_t width_ns);

// Not thread-safe.
class PartitionBuilder {
 public:
  // `tiers`: whether to build rollup tiers.
  PartitionBuilder(int64_t partition_start_ns, int64_t partition_ns, bool tiers);

  // Ascending by (measurement, series), each series once; columns ascending by field.
  void Add(model::MeasurementId measurement, model::SeriesId series, std::span<const model::Column> columns);
  // The pages in any order (SortAndList sorts them).
  PartitionPages Finish();

 private:
  void FinishMeasurement();
  void Take(model::MeasurementId measurement, uint8_t tier, std::vector<page::EncodedPage> pages);

  const bool tiers_;
  PartitionPages out_;
  page::TimelineWriter timelines_;
  model::MeasurementId measurement_{};
  std::optional<page::MeasurementWriter> writer_;
  std::optional<rollup::TierWriter> tier_writer_;
  bool any_tier_ = false;
};

// The rows of a complete frozen set that fall into one partition, as pages without tiers.
Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds);

}  // namespace tidemark::storage
