// PartitionBuilder: series in, the pages of one partition out, as a slab has them: without tiers.
#pragma once

#include <optional>
#include <span>

#include "storage/base/deadline.h"
#include "storage/head/head_set.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/page/page_writer.h"
#include "storage/partition/page_collector.h"
#include "storage/partition/partition_bounds.h"
#include "storage/partition/partition_pages.h"
#include "storage/partition/series_list.h"
#include "storage/partition/slab.h"

namespace tidemark::storage::partition {

// Not thread-safe.
class PartitionBuilder {
 public:
  explicit PartitionBuilder(PartitionBounds bounds) : bounds_(bounds) {}

  // Ascending by (measurement, series), each series once; columns ascending by field.
  void Add(model::MeasurementId measurement, model::SeriesId series, std::span<const model::Column> columns);
  // The pages in any order (SortAndList sorts them).
  PartitionPages Finish();

 private:
  void FinishMeasurement();

  const PartitionBounds bounds_;
  PageCollector out_;
  model::TimeRange rows_{model::Timestamp::Max(), model::Timestamp::Min()};
  SeriesListBuilder series_;
  page::TimelineWriter timelines_;
  model::MeasurementId measurement_{};
  std::optional<page::MeasurementWriter> writer_;
};

// The rows of a complete frozen set that fall into one partition, as pages without tiers. kCancelled once `deadline`,
// which may be null, has passed.
Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds,
                                 const Deadline* deadline = nullptr);

}  // namespace tidemark::storage::partition
