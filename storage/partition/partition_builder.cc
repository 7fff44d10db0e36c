#include "storage/partition/partition_builder.h"

#include <algorithm>
#include <utility>

#include "storage/base/check.h"
#include "storage/model/stale_marker.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/sketches.h"

namespace tidemark::storage::partition {
namespace {

// Tiers are numbered in seven bits, and the last number is taken.
constexpr size_t kMaxTiers = rocks::kSketchTiers - 2;

// Stale markers are no rows of a bucket; but over a row of an older epoch they take it away, and the buckets of neither
// would tell.
bool MayHide(const model::Column& column) {
  if (column.floats == nullptr) return false;
  return std::any_of(column.floats, column.floats + column.size(), model::IsStaleMarker);
}

}  // namespace

std::vector<int64_t> TierWidthsOf(const model::Column& column, std::span<const RollupTier> named) {
  if (column.type == model::FieldType::kString || column.empty()) return {};
  std::vector<int64_t> widths;
  if (column.size() >= static_cast<size_t>(rollup::kMinRowsPerBucket)) {
    const double span = static_cast<double>(column.times.back()) - static_cast<double>(column.times.front());
    const double step = span / static_cast<double>(column.size() - 1);
    if (step < static_cast<double>(kNsPerDay)) {
      // Rounded up, so that a bucket never has fewer rows than it should.
      const int64_t first = rollup::FirstTierWidth(static_cast<int64_t>(step) + 1);
      if (first > 0) widths = {first, first * rollup::kTierFactor};
    }
  }
  for (const RollupTier& tier : named) widths.push_back(tier.width_ns);
  std::sort(widths.begin(), widths.end());
  widths.erase(std::unique(widths.begin(), widths.end()), widths.end());
  return widths;
}

PartitionBuilder::PartitionBuilder(PartitionBounds bounds, BuildOptions options)
    : options_(std::move(options)), writer_options_({.effort = options_.effort}), timelines_(writer_options_) {
  out_.partition_start_ns = bounds.start_ns;
  out_.partition_ns = bounds.length_ns();
}

void PartitionBuilder::Add(model::MeasurementId measurement, model::SeriesId series,
                           std::span<const model::Column> columns) {
  if (measurement != measurement_ || !writer_.has_value()) {
    FinishMeasurement();
    measurement_ = measurement;
    writer_.emplace(&timelines_, writer_options_);
  }
  if (options_.raw) writer_->Add(series, columns);
  size_t place = 0;
  for (const model::Column& column : columns) {
    if (column.empty()) continue;
    if (Kept(column)) series_.Add(column.ref.field, series, place++);
    out_.rows_range.first.ns = std::min(out_.rows_range.first.ns, column.times.front());
    out_.rows_range.last.ns = std::max(out_.rows_range.last.ns, column.times.back());
    if (options_.tiers) AddTiers(series, column);
  }
}

std::vector<int64_t> PartitionBuilder::WidthsOf(const model::Column& column) const {
  if (options_.raw) return TierWidthsOf(column, options_.named);
  std::vector<int64_t> widths;
  if (column.type == model::FieldType::kString) return widths;
  for (const RollupTier& tier : options_.named) widths.push_back(tier.width_ns);
  return widths;
}

void PartitionBuilder::AddTiers(model::SeriesId series, const model::Column& column) {
  // What is sealed is all that there is in its partition.
  if (options_.effort == codec::Effort::kFast && MayHide(column)) return;
  std::vector<rollup::BucketArrays> built;
  // Where the rows are about to go, nobody can ask them for the increase of what falls often.
  const auto increase = options_.raw ? rollup::Increase::kOfCounters : rollup::Increase::kAlways;
  for (const int64_t width_ns : WidthsOf(column)) {
    // From the widest one built that fits in a whole number of times: rows are looked at once.
    const auto narrower = std::find_if(built.rbegin(), built.rend(),
                                       [&](const auto& buckets) { return width_ns % buckets.width_ns == 0; });
    rollup::BucketArrays buckets = narrower == built.rend() ? rollup::Build(column, width_ns, increase)
                                                            : rollup::Coarsen(*narrower, width_ns / narrower->width_ns);
    buckets.ref = {column.ref.field, series};
    tier_writers_.try_emplace(width_ns, width_ns).first->second.Add(buckets);
    built.push_back(std::move(buckets));
    if (options_.raw) continue;
    // Until its rows go a column answers percentiles itself, exactly.
    rollup::SketchArrays sketches = rollup::BuildSketches(column, width_ns);
    sketches.ref = {column.ref.field, series};
    sketch_writers_.try_emplace(width_ns, width_ns).first->second.Add(sketches);
  }
}

void PartitionBuilder::FinishMeasurement() {
  if (writer_.has_value()) {
    for (page::EncodedPage& page : writer_->Finish())
      out_.pages.push_back({measurement_, rocks::kRawTier, std::move(page)});
  }
  writer_.reset();
  series_.FinishMeasurement();
  for (auto& [width_ns, writer] : tier_writers_) {
    for (page::EncodedPage& page : writer.Finish()) {
      tier_pages_[width_ns].push_back({measurement_, rocks::kRawTier, std::move(page)});
    }
  }
  tier_writers_.clear();
  for (auto& [width_ns, writer] : sketch_writers_) {
    for (page::EncodedPage& page : writer.Finish()) {
      sketch_pages_[width_ns].push_back({measurement_, rocks::kRawTier, std::move(page)});
    }
  }
  sketch_writers_.clear();
}

PartitionPages PartitionBuilder::Finish() {
  FinishMeasurement();
  out_.series = std::make_shared<const SeriesList>(series_.Finish());
  for (page::EncodedPage& page : timelines_.Finish()) {
    out_.pages.push_back({model::MeasurementId{}, rocks::kRawTier, std::move(page)});
  }
  // A tier that the database names is listed without a page too: the epoch need not be looked at for it again.
  if (options_.tiers) {
    for (const RollupTier& tier : options_.named) tier_pages_.try_emplace(tier.width_ns);
  }
  TM_CHECK(tier_pages_.size() <= kMaxTiers);
  for (auto& [width_ns, pages] : tier_pages_) {
    out_.tier_widths_ns.push_back(width_ns);
    const auto tier = static_cast<uint8_t>(rocks::kRawTier + out_.tier_widths_ns.size());
    for (PartitionPage& page : pages) {
      page.tier = tier;
      out_.pages.push_back(std::move(page));
    }
    for (PartitionPage& page : sketch_pages_[width_ns]) {
      page.tier = tier + rocks::kSketchTiers;
      out_.pages.push_back(std::move(page));
    }
  }
  tier_pages_.clear();
  sketch_pages_.clear();
  return std::move(out_);
}

Result<PartitionPages> Transpose(const head::HeadSet& heads, PartitionBounds bounds, const Deadline* deadline) {
  PartitionBuilder builder(bounds, {});
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
