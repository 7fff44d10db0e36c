#include "storage/partition/partition_builder.h"

#include <algorithm>
#include <utility>

#include "storage/base/check.h"

namespace tidemark::storage::partition {

void PartitionBuilder::Add(model::MeasurementId measurement, model::SeriesId series,
                           std::span<const model::Column> columns) {
  if (measurement != measurement_ || !writer_.has_value()) {
    FinishMeasurement();
    measurement_ = measurement;
    writer_.emplace(&timelines_);
  }
  writer_->Add(series, columns);
  size_t place = 0;
  for (const model::Column& column : columns) {
    if (column.empty()) continue;
    series_.Add(column.ref.field, series, place++);
    rows_.first.ns = std::min(rows_.first.ns, column.times.front());
    rows_.last.ns = std::max(rows_.last.ns, column.times.back());
  }
}

void PartitionBuilder::FinishMeasurement() {
  // Without a spool nothing can fail.
  if (writer_.has_value()) TM_CHECK(out_.Take(measurement_, writer_->Finish()).ok());
  writer_.reset();
  series_.FinishMeasurement();
}

PartitionPages PartitionBuilder::Finish() {
  FinishMeasurement();
  TM_CHECK(out_.Take(model::MeasurementId{}, timelines_.Finish()).ok());
  out_.Note(rows_);
  return out_.Finish(bounds_, {}, series_.Finish());
}

Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds, const Deadline* deadline) {
  PartitionBuilder builder(bounds);
  const model::TimeRange range{{bounds.start_ns}, {bounds.end_ns}};
  TM_RETURN_IF_ERROR(heads.Visit(range,
                                 [&](model::MeasurementId measurement, model::SeriesId series,
                                     std::span<const model::Column> columns) -> Result<void> {
                                   if (deadline != nullptr && deadline->passed()) {
                                     return MakeError(ErrorCode::kCancelled, "the time for making pages is over");
                                   }
                                   builder.Add(measurement, series, columns);
                                   return {};
                                 }));
  return builder.Finish();
}

}  // namespace tidemark::storage::partition
