#include "storage/engine/partition_builder.h"

#include <utility>

#include "storage/rollup/buckets.h"

namespace tidemark::storage {

bool WorthTier(const model::Column& column, int64_t width_ns) {
  if (column.type == model::FieldType::kString || column.type == model::FieldType::kBool) return false;
  if (column.size() < static_cast<size_t>(rollup::kMinRowsPerBucket)) return false;
  const double span = static_cast<double>(column.times.back()) - static_cast<double>(column.times.front());
  const auto rows = static_cast<double>(column.size());
  return rows * static_cast<double>(width_ns) >= static_cast<double>(rollup::kMinRowsPerBucket) * span;
}

PartitionBuilder::PartitionBuilder(int64_t partition_start_ns, int64_t partition_ns, bool tiers) : tiers_(tiers) {
  out_.partition_start_ns = partition_start_ns;
  out_.partition_ns = partition_ns;
}

void PartitionBuilder::Add(model::MeasurementId measurement, model::SeriesId series,
                           std::span<const model::Column> columns) {
  if (measurement != measurement_ || !writer_.has_value()) {
    FinishMeasurement();
    measurement_ = measurement;
    writer_.emplace(&timelines_);
  }
  writer_->Add(series, columns);
  if (!tiers_) return;
  for (const model::Column& column : columns) {
    if (!WorthTier(column, kTierWidthNs)) continue;
    if (!tier_writer_.has_value()) tier_writer_.emplace(kTierWidthNs);
    rollup::BucketArrays buckets = rollup::Build(column, kTierWidthNs);
    buckets.ref = {column.ref.field, series};
    tier_writer_->Add(buckets);
  }
}

void PartitionBuilder::Take(model::MeasurementId measurement, uint8_t tier, std::vector<page::EncodedPage> pages) {
  for (page::EncodedPage& page : pages) out_.pages.push_back({measurement, tier, std::move(page)});
}

void PartitionBuilder::FinishMeasurement() {
  if (writer_.has_value()) Take(measurement_, kRawTier, writer_->Finish());
  writer_.reset();
  if (tier_writer_.has_value()) {
    Take(measurement_, kRawTier + 1, tier_writer_->Finish());
    any_tier_ = true;
  }
  tier_writer_.reset();
}

PartitionPages PartitionBuilder::Finish() {
  FinishMeasurement();
  Take(model::MeasurementId{}, kRawTier, timelines_.Finish());
  if (any_tier_) out_.tier_widths_ns.push_back(kTierWidthNs);
  return std::move(out_);
}

Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds) {
  PartitionBuilder builder(bounds.start_ns, bounds.length_ns(), /*tiers=*/false);
  const model::TimeRange range{{bounds.start_ns}, {bounds.end_ns}};
  TM_RETURN_IF_ERROR(heads.Visit(range,
                                 [&](model::MeasurementId measurement, model::SeriesId series,
                                     std::span<const model::Column> columns) -> Result<void> {
                                   builder.Add(measurement, series, columns);
                                   return {};
                                 }));
  return builder.Finish();
}

}  // namespace tidemark::storage
