#include "storage/partition/tier_builder.h"

#include <algorithm>
#include <utility>

#include "storage/base/check.h"
#include "storage/model/stale_marker.h"
#include "storage/rollup/buckets.h"
#include "storage/rollup/sketches.h"

namespace tidemark::storage::partition {
namespace {

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

std::vector<int64_t> TierBuilder::WidthsOf(const model::Column& column) const {
  if (options_.raw) return TierWidthsOf(column, options_.named);
  std::vector<int64_t> widths;
  if (column.type == model::FieldType::kString) return widths;
  for (const RollupTier& tier : options_.named) widths.push_back(tier.width_ns);
  return widths;
}

void TierBuilder::Add(model::SeriesId series, const model::Column& column) {
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

void TierBuilder::Begin(model::SeriesRef ref, model::FieldType type, size_t rows, model::TimeRange range) {
  TM_CHECK(options_.raw);
  ref_ = ref;
  built_ = {};
  may_hide_ = false;
  model::Column about{.ref = ref, .type = type};
  const double step = (static_cast<double>(range.last.ns) - static_cast<double>(range.first.ns)) /
                      static_cast<double>(std::max<size_t>(rows, 2) - 1);
  about.times = {
      .size = rows, .first_ns = range.first.ns, .step_ns = static_cast<int64_t>(step), .explicit_ns = nullptr};
  widths_ = WidthsOf(about);
  piece_width_ns_ = widths_.empty() ? 0 : widths_.front();
  const auto fits = [&](int64_t width_ns) { return width_ns % widths_.front() == 0; };
  if (!std::all_of(widths_.begin(), widths_.end(), fits)) piece_width_ns_ = kWhole;
}

void TierBuilder::AddPiece(const model::Column& piece) {
  may_hide_ = may_hide_ || MayHide(piece);
  if (!widths_.empty()) rollup::Append(rollup::Build(piece, piece_width_ns_), &built_);
}

void TierBuilder::End() {
  if (widths_.empty() || (options_.effort == codec::Effort::kFast && may_hide_)) return;
  std::vector<rollup::BucketArrays> built{std::exchange(built_, {})};
  for (const int64_t width_ns : widths_) {
    if (width_ns != piece_width_ns_) {
      const auto narrower = std::find_if(built.rbegin(), built.rend(),
                                         [&](const auto& buckets) { return width_ns % buckets.width_ns == 0; });
      built.push_back(rollup::Coarsen(*narrower, width_ns / narrower->width_ns));
    }
    built.back().ref = ref_;
    tier_writers_.try_emplace(width_ns, width_ns).first->second.Add(built.back());
  }
}

TierBuilder::Pages TierBuilder::Finish() {
  Pages pages;
  for (auto& [width_ns, writer] : tier_writers_) pages.tiers.emplace(width_ns, writer.Finish());
  tier_writers_.clear();
  for (auto& [width_ns, writer] : sketch_writers_) pages.sketches.emplace(width_ns, writer.Finish());
  sketch_writers_.clear();
  return pages;
}

}  // namespace tidemark::storage::partition
