#include "storage/engine/tier_scan.h"

#include <algorithm>
#include <utility>

#include "storage/rollup/buckets.h"

namespace tidemark::storage {
namespace {

constexpr size_t kDenseRefs = 16;

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }
int64_t CeilDivide(int64_t value, int64_t by) { return value / by + (value % by > 0 ? 1 : 0); }

}  // namespace

TierScan::TierScan(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs, model::TimeRange range,
                   int64_t width_ns)
    : pinned_(std::move(pinned)), refs_(refs), width_ns_(width_ns), warnings_(pinned_->corrupt_pages) {
  // Buckets exist where epochs have rows; before and after there are only raw rows, if any.
  model::TimeRange covered{model::Timestamp::Max(), model::Timestamp::Min()};
  for (const auto& epoch : pinned_->state->epochs) {
    covered.first = std::min(covered.first, epoch->range().first);
    covered.last = std::max(covered.last, epoch->range().last);
  }
  if (!covered.empty() && !range.empty() && width_ns > 0) grid_ = MakeGrid(range);
  if (!covered.empty()) {
    const Grid useful{rollup::BucketOf(covered.first.ns, width_ns), rollup::BucketOf(covered.last.ns, width_ns) + 1};
    grid_ = {std::max(grid_.first, useful.first), std::min(grid_.end, useful.end)};
  }
  if (grid_.first >= grid_.end) {
    grid_ = {};
    return;
  }
  range_.first.ns = rollup::BucketEnd(grid_.first - 1, width_ns) + 1;
  range_.last.ns = rollup::BucketEnd(grid_.end - 1, width_ns);
  const auto add = [&](const PageSet* pages) {
    if (!pages->range().Overlaps(range_)) return;
    Source source;
    source.pages = pages;
    source.raw = std::make_unique<PageSource>(pages, refs.size() >= kDenseRefs, &warnings_);
    sources_.push_back(std::move(source));
  };
  for (const auto& epoch : pinned_->state->epochs) add(epoch.get());
  for (const auto& slab : pinned_->state->slabs) add(slab.get());
  for (const MarkedSet& marked : pinned_->heads) heads_.push_back(&marked);
  for (const auto& mask : pinned_->masks) {
    const bool applies = std::any_of(pinned_->state->epochs.begin(), pinned_->state->epochs.end(),
                                     [&](const auto& epoch) { return mask->AppliesTo(epoch->record()); });
    if (applies) masks_.push_back(mask.get());
  }
}

TierScan::Grid TierScan::MakeGrid(model::TimeRange range) const {
  // Bucket n covers ((n - 1) * width, n * width]; whole inside means (n - 1) * width + 1 >= first, n * width <= last.
  const int64_t before = range.first == model::Timestamp::Min() ? range.first.ns : range.first.ns - 1;
  return {CeilDivide(before, width_ns_) + 1, FloorDivide(range.last.ns, width_ns_) + 1};
}

Result<bool> TierScan::ReadTier(Source& source, model::MeasurementId measurement, model::SeriesRef ref) {
  if (source.directory == nullptr) {
    auto directory = source.pages->Directory();
    if (!directory.ok()) {
      if (directory.error().code != ErrorCode::kCorruption) return std::move(directory).error();
      return false;
    }
    source.directory = *directory;
    source.tier = source.directory->TierOf(width_ns_);
  }
  if (source.tier == 0) return false;
  const PageRange field = source.directory->OfField(source.tier, measurement, ref.field);
  const PageRange found = source.directory->OfSeries(field, ref.series);
  if (found.empty()) return false;
  if (source.open != found.begin) {
    source.open = found.begin;
    source.reader.reset();
    auto bytes = source.pages->Read(found.begin);
    if (bytes.ok()) {
      source.bytes = std::move(bytes).value();
      auto reader = rollup::TierReader::Open(source.bytes.bytes, page::Checksum::kVerify);
      if (reader.ok()) {
        source.reader.emplace(std::move(reader).value());
      } else if (reader.error().code == ErrorCode::kCorruption) {
        // The rows themselves may be sound: they are read instead.
        warnings_.Add(source.pages->Name(found.begin) + ": " + reader.error().message);
      } else {
        return std::move(reader).error();
      }
    } else if (bytes.error().code == ErrorCode::kCorruption) {
      warnings_.Add(source.pages->Name(found.begin) + ": " + bytes.error().message);
    } else {
      return std::move(bytes).error();
    }
  }
  if (!source.reader.has_value()) return false;
  const std::vector<model::SeriesId>& series = source.reader->series();
  if (!std::binary_search(series.begin(), series.end(), ref.series)) return false;
  TM_RETURN_IF_ERROR(source.reader->Read(ref.series, range_, &arrays_));
  return true;
}

void TierScan::TakeBuckets() {
  for (size_t i = 0; i < arrays_.size(); ++i) {
    if (arrays_.bucket[i] < grid_.first || arrays_.bucket[i] >= grid_.end) continue;
    const auto slot = static_cast<size_t>(arrays_.bucket[i] - grid_.first);
    if (taken_[slot] != 0) trusted_[slot] = 0;  // two epochs have rows here
    taken_[slot] = 1;
    count_[slot] = static_cast<uint64_t>(arrays_.count[i]);
    sum_[slot] = rollup::SumAt(arrays_, i);
    min_[slot] = rollup::ValueAt(arrays_, arrays_.min, i);
    max_[slot] = rollup::ValueAt(arrays_, arrays_.max, i);
    first_[slot] = rollup::ValueAt(arrays_, arrays_.first, i);
    last_[slot] = rollup::ValueAt(arrays_, arrays_.last, i);
    first_ns_[slot] = arrays_.first_ns[i];
    last_ns_[slot] = arrays_.last_ns[i];
    if (arrays_.has_increase) increases_[slot] = rollup::IncreaseAt(arrays_, i);
  }
  if (arrays_.size() == 0) return;
  exact_ &= arrays_.exact_sum;
  increase_ &= arrays_.has_increase;
}

void TierScan::Distrust(const model::Column& column) {
  for (size_t row = 0; row < column.size();) {
    const int64_t bucket = rollup::BucketOf(column.times[row], width_ns_);
    if (bucket >= grid_.first && bucket < grid_.end) trusted_[static_cast<size_t>(bucket - grid_.first)] = 0;
    row = std::max(row + 1, column.times.UpperBound(rollup::BucketEnd(bucket, width_ns_)));
  }
}

void TierScan::DistrustRange(model::TimeRange range) {
  const model::TimeRange inside{std::max(range.first, range_.first), std::min(range.last, range_.last)};
  if (inside.empty()) return;
  const int64_t first = rollup::BucketOf(inside.first.ns, width_ns_) - grid_.first;
  const int64_t last = rollup::BucketOf(inside.last.ns, width_ns_) - grid_.first;
  std::fill(trusted_.begin() + first, trusted_.begin() + last + 1, uint8_t{0});
}

Result<bool> TierScan::Next(TierColumn* column) {
  if (at_ == refs_.size()) return false;
  const model::SeriesRef ref = refs_[at_++];
  const auto buckets = static_cast<size_t>(grid_.end - grid_.first);
  *column = {};
  column->ref = ref;
  column->width_ns = width_ns_;
  if (buckets == 0) return true;
  exact_ = true;
  increase_ = true;
  trusted_.assign(buckets, 1);
  taken_.assign(buckets, 0);
  count_.assign(buckets, 0);
  for (auto* values : {&sum_, &min_, &max_, &first_, &last_, &increases_}) values->assign(buckets, 0);
  for (auto* values : {&first_ns_, &last_ns_}) values->assign(buckets, 0);

  const model::MeasurementId measurement = pinned_->database->index().Field(ref.field).measurement;
  buffers_.TakeBack();
  for (Source& source : sources_) {
    TM_TRY_ASSIGN(const bool rolled_up, ReadTier(source, measurement, ref));
    if (rolled_up) {
      TakeBuckets();
      continue;
    }
    const size_t warned = warnings_.texts().size();
    pieces_.clear();
    TM_RETURN_IF_ERROR(source.raw->Read(measurement, ref, range_, &buffers_, &pieces_));
    for (const model::Column& piece : pieces_) Distrust(piece);
    // Nobody knows which buckets the rows of a damaged page fell into.
    if (warnings_.texts().size() != warned) trusted_.assign(buckets, 0);
  }
  for (const Mask* mask : masks_) {
    if (mask->refs().Contains(ref)) DistrustRange(mask->range());
  }
  for (const MarkedSet* marked : heads_) {
    const head::HeadSet& heads = marked->set->heads();
    if (!heads.Touches(ref.series, marked->mark, range_)) continue;
    Distrust(heads.Read(ref, marked->mark, range_, buffers_.Next()));
  }

  column->first_start_ns = rollup::BucketEnd(grid_.first - 1, width_ns_);
  column->buckets = buckets;
  column->trusted = trusted_.data();
  column->count = count_.data();
  column->sum = sum_.data();
  column->min = min_.data();
  column->max = max_.data();
  column->first = first_.data();
  column->last = last_.data();
  column->first_ns = first_ns_.data();
  column->last_ns = last_ns_.data();
  column->increase = increase_ ? increases_.data() : nullptr;
  column->sum_exact = exact_;
  return true;
}

}  // namespace tidemark::storage
