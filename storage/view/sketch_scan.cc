#include "storage/view/sketch_scan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/rollup/buckets.h"

namespace tidemark::storage::view {

SketchScan::SketchScan(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs,
                       model::TimeRange range, int64_t width_ns)
    : pinned_(std::move(pinned)), refs_(refs), width_ns_(width_ns), warnings_(pinned_->corrupt_pages) {
  int64_t first_ns = std::numeric_limits<int64_t>::max();
  int64_t gone_until_ns = std::numeric_limits<int64_t>::min();
  for (const auto& epoch : pinned_->state->epochs) {
    const meta::EpochRecord& record = epoch->record();
    if (!record.tiers_only || width_ns <= 0) continue;
    first_ns = std::min(first_ns, record.range.first.ns);
    gone_until_ns = std::max(gone_until_ns, record.partition_start_ns + (record.partition_ns - 1));
  }
  if (first_ns > gone_until_ns || range.empty()) return;
  // Whole inside of the range, and where there may be any.
  const int64_t before_ns = range.first == model::Timestamp::Min() ? range.first.ns : range.first.ns - 1;
  first_bucket_ = std::max(rollup::BucketOf(before_ns, width_ns) + 1, rollup::BucketOf(first_ns, width_ns));
  end_bucket_ = rollup::BucketOf(gone_until_ns, width_ns) + 1;
  if (range.last != model::Timestamp::Max()) {
    // The one behind the last that ends in time.
    const int64_t next = rollup::BucketOf(range.last.ns, width_ns);
    end_bucket_ = std::min(end_bucket_, rollup::BucketEnd(next, width_ns) == range.last.ns ? next + 1 : next);
  }
  end_bucket_ = std::max(end_bucket_, first_bucket_);
  if (first_bucket_ < end_bucket_) OpenSources();
}

model::TimeRange SketchScan::BucketTimes() const {
  return {{rollup::BucketEnd(first_bucket_ - 1, width_ns_) + 1}, {rollup::BucketEnd(end_bucket_ - 1, width_ns_)}};
}

void SketchScan::OpenSources() {
  for (const auto& epoch : pinned_->state->epochs) {
    const meta::EpochRecord& record = epoch->record();
    if (!record.tiers_only) continue;
    // A list of pages is read for what can answer only.
    const model::TimeRange partition{{record.partition_start_ns},
                                     {record.partition_start_ns + (record.partition_ns - 1)}};
    if (!partition.Overlaps(BucketTimes())) continue;
    Source source;
    source.epoch = epoch.get();
    source.masks = retention::SourceMasks::OfEpoch(pinned_->masks, record);
    if (auto directory = epoch->Directory(); directory.ok()) {
      source.directory = *directory;
      if (const std::string loss = epoch->Loss(); !loss.empty()) warnings_.Add(loss);
    } else {
      warnings_.Add(directory.error().message);
      continue;
    }
    const std::vector<int64_t>& widths = source.directory->tier_widths_ns();
    for (size_t i = widths.size(); i-- > 0;) {
      if (widths[i] <= 0 || width_ns_ % widths[i] != 0) continue;
      Tier tier;
      tier.number = static_cast<uint8_t>(i + 1 + rocks::kSketchTiers);
      tier.width_ns = widths[i];
      source.tiers.push_back(std::move(tier));
    }
    sources_.push_back(std::move(source));
  }
}

Result<bool> SketchScan::ReadTier(Source& source, Tier& tier, model::MeasurementId measurement, model::SeriesRef ref) {
  const partition::PageRange field = source.directory->OfField(tier.number, measurement, ref.field);
  const partition::PageRange found = source.directory->OfSeries(field, ref.series);
  if (found.empty()) return false;
  if (tier.open != found.begin) {
    tier.open = found.begin;
    tier.reader.reset();
    const auto read = [&]() -> Result<void> {
      TM_TRY_ASSIGN(tier.bytes, source.epoch->Read(found.begin));
      TM_TRY_ASSIGN(tier.reader, rollup::SketchReader::Open(tier.bytes.bytes, page::Checksum::kVerify));
      return {};
    };
    if (auto done = read(); !done.ok()) {
      if (done.error().code != ErrorCode::kCorruption) return std::move(done).error();
      warnings_.Add(source.epoch->Name(found.begin) + ": " + done.error().message);
    }
  }
  if (!tier.reader.has_value()) return false;
  const std::vector<model::SeriesId>& series = tier.reader->series();
  if (!std::binary_search(series.begin(), series.end(), ref.series)) return false;
  TM_RETURN_IF_ERROR(tier.reader->Read(ref.series, BucketTimes(), &arrays_));
  return true;
}

Result<void> SketchScan::Read(Source& source, model::MeasurementId measurement, model::SeriesRef ref) {
  const auto is_masked = [&](const retention::Mask* mask) { return mask->refs().Contains(ref); };
  const std::span<const retention::Mask* const> masks = source.masks.masks();
  const bool masked = std::any_of(masks.begin(), masks.end(), is_masked);
  for (size_t i = 0; i < source.tiers.size(); ++i) {
    // Of what is deleted the narrowest tier loses least.
    Tier& tier = source.tiers[masked ? source.tiers.size() - 1 - i : i];
    TM_TRY_ASSIGN(const bool found, ReadTier(source, tier, measurement, ref));
    if (!found) continue;
    for (const retention::Mask* mask : masks) {
      if (is_masked(mask)) rollup::EraseInside(mask->range(), &arrays_);
    }
    const int64_t factor = width_ns_ / tier.width_ns;
    for (size_t b = 0; b < arrays_.size(); ++b) {
      sketches_[rollup::BucketOf(arrays_.bucket[b], factor)].Merge(arrays_.BinsOf(b));
    }
    return {};
  }
  return {};
}

Result<bool> SketchScan::Next(SketchColumn* column) {
  if (at_ == refs_.size()) return false;
  const model::SeriesRef ref = refs_[at_++];
  *column = {};
  column->ref = ref;
  column->width_ns = width_ns_;
  const auto buckets = static_cast<size_t>(end_bucket_ - first_bucket_);
  if (buckets == 0) return true;
  sketches_.clear();
  const model::MeasurementId measurement = pinned_->database->index().Field(ref.field).measurement;
  for (Source& source : sources_) TM_RETURN_IF_ERROR(Read(source, measurement, ref));
  ends_.assign(buckets, 0);
  bins_.clear();
  auto next = sketches_.begin();
  for (size_t i = 0; i < buckets; ++i) {
    if (next != sketches_.end() && next->first == first_bucket_ + static_cast<int64_t>(i)) {
      const auto bins = next->second.bins();
      bins_.insert(bins_.end(), bins.begin(), bins.end());
      ++next;
    }
    ends_[i] = static_cast<uint32_t>(bins_.size());
  }
  column->first_start_ns = rollup::BucketEnd(first_bucket_ - 1, width_ns_);
  column->buckets = buckets;
  column->ends = ends_.data();
  column->bins = bins_.data();
  return true;
}

}  // namespace tidemark::storage::view
