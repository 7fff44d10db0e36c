#include "storage/view/tier_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "storage/rollup/buckets.h"

namespace tidemark::storage::view {
namespace {

constexpr size_t kDenseRefs = 16;

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }
int64_t CeilDivide(int64_t value, int64_t by) { return value / by + (value % by > 0 ? 1 : 0); }

using Values = std::vector<int64_t> rollup::BucketArrays::*;
constexpr std::array<Values, 9> kValues = {
    &rollup::BucketArrays::count, &rollup::BucketArrays::first_ns, &rollup::BucketArrays::last_ns,
    &rollup::BucketArrays::min,   &rollup::BucketArrays::max,      &rollup::BucketArrays::first,
    &rollup::BucketArrays::last,  &rollup::BucketArrays::sum,      &rollup::BucketArrays::increase};

// The doubles that the words of some buckets stand for, as rollup::ValueAt and SumAt.
class WordReader {
 public:
  WordReader() = default;
  explicit WordReader(const rollup::BucketArrays& buckets)
      : binary_(buckets.scale == model::kBinaryScale),
        unsigned_(buckets.type == model::FieldType::kUInt),
        power_(binary_ ? 1 : model::PowerOfTen(buckets.scale)) {}
  [[nodiscard]] double Value(int64_t word) const {
    if (binary_) return std::bit_cast<double>(word);
    return (unsigned_ ? static_cast<double>(static_cast<uint64_t>(word)) : static_cast<double>(word)) / power_;
  }
  [[nodiscard]] double Total(int64_t word, bool exact) const {
    return exact ? static_cast<double>(word) / power_ : std::bit_cast<double>(word);
  }

 private:
  bool binary_ = false;
  bool unsigned_ = false;
  double power_ = 1;
};

rollup::BucketArrays OneBucket(const rollup::BucketArrays& from, size_t index) {
  rollup::BucketArrays out{.ref = from.ref,
                           .type = from.type,
                           .scale = from.scale,
                           .width_ns = from.width_ns,
                           .exact_sum = from.exact_sum,
                           .has_increase = from.has_increase,
                           .exact_increase = from.exact_increase};
  out.bucket.push_back(from.bucket[index]);
  for (const Values column : kValues) {
    if (!(from.*column).empty()) (out.*column).push_back((from.*column)[index]);
  }
  return out;
}

struct Place {
  const rollup::BucketArrays* arrays;
  size_t index;
};

// The two buckets as one where that is plain arithmetic on integers: at every border between partitions. false: it is
// not.
bool JoinExact(Place left, Place right, rollup::BucketArrays* out) {
  if (left.arrays->first_ns[left.index] > right.arrays->first_ns[right.index]) std::swap(left, right);
  const rollup::BucketArrays& a = *left.arrays;
  const rollup::BucketArrays& b = *right.arrays;
  const size_t i = left.index;
  const size_t j = right.index;
  if (a.last_ns[i] >= b.first_ns[j] || a.scale != b.scale || a.scale == model::kBinaryScale || !a.exact_sum ||
      !b.exact_sum || a.has_increase != b.has_increase || (a.has_increase && !(a.exact_increase && b.exact_increase)) ||
      a.type == model::FieldType::kUInt) {
    return false;
  }
  int64_t sum = 0;
  int64_t increase = 0;
  int64_t step = 0;
  bool fits = !__builtin_add_overflow(a.sum[i], b.sum[j], &sum);
  if (a.has_increase) {
    const int64_t before = b.first[j] < a.last[i] ? 0 : a.last[i];
    fits = fits && !__builtin_sub_overflow(b.first[j], before, &step) &&
           !__builtin_add_overflow(a.increase[i], b.increase[j], &increase) &&
           !__builtin_add_overflow(increase, step, &increase);
  }
  if (!fits) return false;
  out->Clear();
  out->ref = a.ref;
  out->type = a.type;
  out->scale = a.scale;
  out->width_ns = a.width_ns;
  out->exact_sum = true;
  out->has_increase = a.has_increase;
  out->exact_increase = a.exact_increase;
  out->bucket.push_back(a.bucket[i]);
  out->count.push_back(a.count[i] + b.count[j]);
  out->first_ns.push_back(a.first_ns[i]);
  out->last_ns.push_back(b.last_ns[j]);
  out->min.push_back(std::min(a.min[i], b.min[j]));
  out->max.push_back(std::max(a.max[i], b.max[j]));
  out->first.push_back(a.first[i]);
  out->last.push_back(b.last[j]);
  out->sum.push_back(sum);
  if (a.has_increase) out->increase.push_back(increase);
  return true;
}

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
  const auto add = [&](const partition::PageSet* pages, const partition::Epoch* reduced) {
    if (!pages->range().Overlaps(range_)) return;
    Source source;
    source.pages = pages;
    if (reduced != nullptr) {
      source.reduced = any_reduced_ = true;
      source.masks = retention::SourceMasks::OfEpoch(pinned_->masks, reduced->record());
    }
    source.raw = std::make_unique<partition::PageSource>(pages, refs, &warnings_);
    sources_.push_back(std::move(source));
  };
  std::optional<int64_t> gone_until_ns;
  for (const auto& epoch : pinned_->state->epochs) {
    const meta::EpochRecord& record = epoch->record();
    add(epoch.get(), record.tiers_only ? epoch.get() : nullptr);
    if (!record.tiers_only) continue;
    const int64_t last_ns = record.partition_start_ns + (record.partition_ns - 1);
    gone_until_ns = std::max(gone_until_ns.value_or(last_ns), last_ns);
  }
  if (gone_until_ns) {
    const int64_t bucket = rollup::BucketOf(*gone_until_ns, width_ns_);
    if (bucket >= grid_.first && bucket < grid_.end) border_ = static_cast<size_t>(bucket - grid_.first);
  }
  for (const auto& slab : pinned_->state->slabs) add(slab.get(), nullptr);
  // By time: buckets that several of them have a part of are put together from neighbours.
  std::stable_sort(sources_.begin(), sources_.end(), [](const Source& left, const Source& right) {
    return left.pages->range().first < right.pages->range().first;
  });
  for (const MarkedSet& marked : pinned_->heads) heads_.push_back(&marked);
  for (const auto& mask : pinned_->masks) {
    const bool applies =
        std::any_of(pinned_->state->epochs.begin(), pinned_->state->epochs.end(),
                    [&](const auto& epoch) { return !epoch->record().tiers_only && mask->AppliesTo(epoch->record()); });
    if (applies) masks_.push_back(mask.get());
  }
}

TierScan::Grid TierScan::MakeGrid(model::TimeRange range) const {
  // Bucket n covers ((n - 1) * width, n * width]; whole inside means (n - 1) * width + 1 >= first, n * width <= last.
  const int64_t before = range.first == model::Timestamp::Min() ? range.first.ns : range.first.ns - 1;
  return {CeilDivide(before, width_ns_) + 1, FloorDivide(range.last.ns, width_ns_) + 1};
}

Result<bool> TierScan::ReadTiers(Source& source, model::MeasurementId measurement, model::SeriesRef ref,
                                 rollup::BucketArrays* out) {
  if (source.directory == nullptr) {
    auto directory = source.pages->Directory();
    if (!directory.ok()) {
      if (directory.error().code != ErrorCode::kCorruption) return std::move(directory).error();
      if (source.reduced && !source.unreadable) warnings_.Add(directory.error().message);
      source.unreadable = true;
      return false;
    }
    source.directory = *directory;
    if (const std::string loss = source.pages->Loss(); source.reduced && !loss.empty()) warnings_.Add(loss);
    const std::vector<int64_t>& widths = source.directory->tier_widths_ns();
    for (size_t i = widths.size(); i-- > 0;) {
      if (widths[i] <= 0 || width_ns_ % widths[i] != 0) continue;
      OpenTier tier;
      tier.tier = static_cast<uint8_t>(i + 1);
      tier.width_ns = widths[i];
      source.tiers.push_back(std::move(tier));
    }
  }
  const auto is_masked = [&](const retention::Mask* mask) { return mask->refs().Contains(ref); };
  const std::span<const retention::Mask* const> masks = source.masks.masks();
  const bool masked = std::any_of(masks.begin(), masks.end(), is_masked);
  for (size_t i = 0; i < source.tiers.size(); ++i) {
    // Of what is deleted the narrowest tier loses least.
    OpenTier& tier = source.tiers[masked ? source.tiers.size() - 1 - i : i];
    TM_TRY_ASSIGN(const bool found, ReadTier(source, tier, measurement, ref, out));
    if (!found) continue;
    for (const retention::Mask* mask : masks) {
      if (is_masked(mask)) rollup::EraseInside(mask->range(), out);
    }
    if (tier.width_ns != width_ns_) *out = rollup::Coarsen(*out, width_ns_ / tier.width_ns);
    return true;
  }
  return false;
}

Result<bool> TierScan::ReadTier(Source& source, OpenTier& tier, model::MeasurementId measurement, model::SeriesRef ref,
                                rollup::BucketArrays* out) {
  const partition::PageRange field = source.directory->OfField(tier.tier, measurement, ref.field);
  const partition::PageRange found = source.directory->OfSeries(field, ref.series);
  if (found.empty()) return false;
  if (tier.open != found.begin) {
    tier.open = found.begin;
    tier.reader.reset();
    auto bytes = source.pages->Read(found.begin);
    if (bytes.ok()) {
      tier.bytes = std::move(bytes).value();
      auto reader = rollup::TierReader::Open(tier.bytes.bytes, page::Checksum::kVerify);
      Result<void> decoded;
      if (reader.ok() && refs_.size() >= kDenseRefs) decoded = reader->DecodeAll();
      if (reader.ok() && decoded.ok()) {
        tier.reader.emplace(std::move(reader).value());
      } else if (reader.ok()) {
        // As below: damage of what the checksum found sound is a fault of the writer.
        warnings_.Add(source.pages->Name(found.begin) + ": " + decoded.error().message);
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
  if (!tier.reader.has_value()) return false;
  const std::vector<model::SeriesId>& series = tier.reader->series();
  if (!std::binary_search(series.begin(), series.end(), ref.series)) return false;
  TM_RETURN_IF_ERROR(tier.reader->Read(ref.series, range_, out));
  return true;
}

void TierScan::TakeBuckets(size_t part) {
  const rollup::BucketArrays& arrays = parts_[part];
  const size_t size = arrays.size();
  for (size_t i = 0; i < size; ++i) {
    const int64_t bucket = parts_[part].bucket[i];
    if (bucket < grid_.first || bucket >= grid_.end) continue;
    const auto slot = static_cast<size_t>(bucket - grid_.first);
    if (slots_[slot].part == kEmpty) {
      slots_[slot] = {static_cast<uint32_t>(part), static_cast<uint32_t>(i)};
    } else if (trusted_[slot] != 0 && !JoinBuckets(slot, part, i)) {
      trusted_[slot] = 0;
    }
  }
}

bool TierScan::JoinBuckets(size_t slot, size_t part, size_t index) {
  if (parts_used_ == parts_.size()) parts_.emplace_back();
  const rollup::BucketArrays& here = parts_[slots_[slot].part];
  if (JoinExact({&here, slots_[slot].index}, {&parts_[part], index}, &parts_[parts_used_])) {
    slots_[slot] = {static_cast<uint32_t>(parts_used_++), 0};
    return true;
  }
  rollup::BucketArrays earlier = OneBucket(here, slots_[slot].index);
  rollup::BucketArrays later = OneBucket(parts_[part], index);
  if (earlier.first_ns[0] > later.first_ns[0]) std::swap(earlier, later);
  if (earlier.last_ns[0] >= later.first_ns[0]) return false;
  rollup::MakeAlike(&earlier, &later);
  // As two buckets of 1 ns each, of which the wider one is made as of any others.
  rollup::BucketArrays pair = std::move(earlier);
  pair.width_ns = 1;
  pair.bucket[0] = pair.last_ns[0];
  pair.bucket.push_back(later.last_ns[0]);
  for (const auto column : kValues) {
    if (!(later.*column).empty()) (pair.*column).push_back((later.*column)[0]);
  }
  rollup::BucketArrays joined = rollup::Coarsen(pair, width_ns_);
  if (joined.size() != 1) return false;
  slots_[slot] = {static_cast<uint32_t>(parts_used_), 0};
  parts_[parts_used_++] = std::move(joined);
  return true;
}

void TierScan::PublishWords(uint8_t scale, bool increase, TierColumn* column) {
  for (auto* words : {&sum_words_, &first_words_, &last_words_, &increase_words_}) words->assign(slots_.size(), 0);
  bool fits = true;
  int64_t factor = 1;
  const rollup::BucketArrays* last = nullptr;
  const auto put = [&](int64_t word, int64_t* out) { fits &= !__builtin_mul_overflow(word, factor, out); };
  for (size_t slot = 0; slot < slots_.size() && fits; ++slot) {
    if (slots_[slot].part == kEmpty || trusted_[slot] == 0) continue;
    const rollup::BucketArrays& arrays = parts_[slots_[slot].part];
    const size_t i = slots_[slot].index;
    // The words of unsigned integers past int64 read as negative ones.
    if (arrays.type == model::FieldType::kUInt && arrays.max[i] < 0) return;
    if (&arrays != last) {
      last = &arrays;
      constexpr int kLargestPower = 18;  // that int64 holds
      if (scale - arrays.scale > kLargestPower) return;
      factor = static_cast<int64_t>(model::PowerOfTen(static_cast<uint8_t>(scale - arrays.scale)));
    }
    put(arrays.sum[i], &sum_words_[slot]);
    put(arrays.first[i], &first_words_[slot]);
    put(arrays.last[i], &last_words_[slot]);
    if (increase && arrays.has_increase) put(arrays.increase[i], &increase_words_[slot]);
  }
  if (!fits) return;
  column->scale = scale;
  column->sum_words = sum_words_.data();
  column->first_words = first_words_.data();
  column->last_words = last_words_.data();
  column->increase_words = increase ? increase_words_.data() : nullptr;
}

void TierScan::Publish(TierColumn* column) {
  const size_t buckets = slots_.size();
  count_.assign(buckets, 0);
  for (auto* values : {&sum_, &min_, &max_, &first_, &last_, &increases_}) values->assign(buckets, 0);
  for (auto* values : {&first_ns_, &last_ns_}) values->assign(buckets, 0);
  bool exact = true;
  bool exact_increase = true;
  uint8_t scale = 0;
  const rollup::BucketArrays* last = nullptr;
  WordReader words;
  for (size_t slot = 0; slot < buckets; ++slot) {
    if (slots_[slot].part == kEmpty || trusted_[slot] == 0) continue;
    const rollup::BucketArrays& arrays = parts_[slots_[slot].part];
    const size_t i = slots_[slot].index;
    if (&arrays != last) {
      last = &arrays;
      words = WordReader(arrays);
      exact &= arrays.exact_sum;
      exact_increase &= arrays.exact_increase || !arrays.has_increase;
      scale = std::max(scale, arrays.scale);
    }
    count_[slot] = static_cast<uint64_t>(arrays.count[i]);
    sum_[slot] = words.Total(arrays.sum[i], arrays.exact_sum);
    min_[slot] = words.Value(arrays.min[i]);
    max_[slot] = words.Value(arrays.max[i]);
    first_[slot] = words.Value(arrays.first[i]);
    last_[slot] = words.Value(arrays.last[i]);
    first_ns_[slot] = arrays.first_ns[i];
    last_ns_[slot] = arrays.last_ns[i];
    increases_[slot] = arrays.has_increase ? words.Total(arrays.increase[i], arrays.exact_increase)
                                           : std::numeric_limits<double>::quiet_NaN();
  }
  if (exact && scale != model::kBinaryScale) PublishWords(scale, exact_increase, column);
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
  column->increase = increases_.data();
  column->sum_exact = exact;
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

Result<void> TierScan::ReadReduced(Source& source, model::MeasurementId measurement, model::SeriesRef ref) {
  if (parts_used_ == parts_.size()) parts_.emplace_back();
  const size_t warned = warnings_.texts().size();
  TM_TRY_ASSIGN(const bool found, ReadTiers(source, measurement, ref, &parts_[parts_used_]));
  for (size_t i = warned; i < warnings_.texts().size(); ++i) lost_.push_back(warnings_.texts()[i]);
  if (found) TakeBuckets(parts_used_++);
  return {};
}

Result<void> TierScan::ReadWithRaw(Source& source, model::MeasurementId measurement, model::SeriesRef ref) {
  if (parts_used_ == parts_.size()) parts_.emplace_back();
  TM_TRY_ASSIGN(const bool rolled_up, ReadTiers(source, measurement, ref, &parts_[parts_used_]));
  if (rolled_up) {
    TakeBuckets(parts_used_++);
    return {};
  }
  const size_t warned = warnings_.texts().size();
  pieces_.clear();
  TM_RETURN_IF_ERROR(source.raw->Read(measurement, ref, range_, &buffers_, &pieces_));
  for (const model::Column& piece : pieces_) Distrust(piece);
  // Nobody knows which buckets the rows of a damaged page fell into.
  if (warnings_.texts().size() != warned) trusted_.assign(trusted_.size(), 0);
  return {};
}

void TierScan::KeepGoneApart() {
  for (const auto& [slot, bucket] : reduced_) {
    trusted_[slot] = 1;
    slots_[slot] = bucket;
  }
  if (!border_ || (!reduced_.empty() && reduced_.back().first >= *border_)) return;
  trusted_[*border_] = 1;
  slots_[*border_] = {};
}

Result<bool> TierScan::Next(TierColumn* column) {
  if (at_ == refs_.size()) return false;
  const model::SeriesRef ref = refs_[at_++];
  const auto buckets = static_cast<size_t>(grid_.end - grid_.first);
  *column = {};
  column->ref = ref;
  column->width_ns = width_ns_;
  if (buckets == 0) return true;
  trusted_.assign(buckets, 1);
  slots_.assign(buckets, {});
  parts_used_ = 0;

  const model::MeasurementId measurement = pinned_->database->index().Field(ref.field).measurement;
  buffers_.TakeBack();
  reduced_.clear();
  if (any_reduced_) {
    for (Source& source : sources_) {
      if (source.reduced) TM_RETURN_IF_ERROR(ReadReduced(source, measurement, ref));
    }
    for (size_t slot = 0; slot < buckets; ++slot) {
      if (slots_[slot].part != kEmpty) reduced_.emplace_back(slot, slots_[slot]);
    }
  }
  for (Source& source : sources_) {
    if (!source.reduced) TM_RETURN_IF_ERROR(ReadWithRaw(source, measurement, ref));
  }
  for (const retention::Mask* mask : masks_) {
    if (mask->refs().Contains(ref)) DistrustRange(mask->range());
  }
  for (const MarkedSet* marked : heads_) {
    const head::HeadSet& heads = marked->set->heads();
    if (!heads.Touches(ref.series, marked->mark, range_)) continue;
    Distrust(heads.Read(ref, marked->mark, range_, buffers_.Next()));
  }

  KeepGoneApart();
  Publish(column);
  return true;
}

}  // namespace tidemark::storage::view
