#include "storage/rollup/buckets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "storage/base/check.h"
#include "storage/model/stale_marker.h"
#include "storage/rollup/words.h"

namespace tidemark::rollup {
namespace {

// A series that falls more often than once in this many rows is no counter.
constexpr size_t kRowsPerFall = 16;

template <typename Number>
bool IsNan(Number value) {
  if constexpr (std::is_floating_point_v<Number>) return std::isnan(value);
  return false;
}

// The rows of a column as numbers, without stale markers.
template <typename Number>
const Number* NumbersOf(const model::Column& column) {
  if constexpr (std::is_same_v<Number, double>) {
    return column.floats;
  } else {
    // int64 and uint64 may look at each other's objects.
    return reinterpret_cast<const Number*>(column.ints);
  }
}

// What the rows of one bucket come to.
template <typename Number>
struct Summary {
  using Total = std::conditional_t<std::is_floating_point_v<Number>, CompensatedTotal, ExactTotal>;
  Number min{};
  Number max{};
  Total sum{};
  Total increase{};
  size_t falls = 0;
};

Summary<double> Summarise(std::span<const double> values) {
  Summary<double> out{.min = values[0], .max = values[0]};
  for (const double value : values) {
    // With a NaN in front any number wins; with a NaN behind none does.
    if (value < out.min || std::isnan(out.min)) out.min = value;
    if (value > out.max || std::isnan(out.max)) out.max = value;
    out.sum.Add(value);
  }
  for (size_t i = 1; i < values.size(); ++i) {
    out.falls += values[i] < values[i - 1] ? 1 : 0;
    out.increase.Add(StepOf(values[i - 1], values[i]));
  }
  return out;
}

// Integers. Sum is what is added up in: wide, or int64 where no sum of so many such values can leave it.
template <typename Sum, typename Number>
void AddUp(std::span<const Number> values, Summary<Number>* out) {
  Sum sum = values[0];
  Sum increase = 0;
  int64_t falls = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    const bool fell = values[i] < values[i - 1];
    sum += static_cast<Sum>(values[i]);
    increase += static_cast<Sum>(values[i]) - (fell ? Sum{0} : static_cast<Sum>(values[i - 1]));
    falls += fell ? int64_t{1} : int64_t{0};
  }
  out->sum.Add(Wide{sum});
  out->increase.Add(Wide{increase});
  out->falls = static_cast<size_t>(falls);
}

template <typename Number>
Summary<Number> Summarise(std::span<const Number> values) {
  Summary<Number> out{.min = values[0], .max = values[0]};
  for (const Number value : values) {
    out.min = std::min(out.min, value);
    out.max = std::max(out.max, value);
  }
  const Wide room = std::numeric_limits<int64_t>::max() / static_cast<int64_t>(2 * values.size());
  if constexpr (std::is_signed_v<Number>) {
    if (Wide{out.min} >= -room && Wide{out.max} <= room) {
      AddUp<int64_t>(values, &out);
      return out;
    }
  }
  AddUp<Wide>(values, &out);
  return out;
}

template <typename Number>
void BuildAs(const model::Column& column, int64_t width_ns, Increase increase, BucketArrays* out) {
  using Total = typename Summary<Number>::Total;
  const Number* const values = NumbersOf<Number>(column);
  std::vector<Total> sums;
  std::vector<Total> increases;
  size_t falls = 0;
  for (size_t begin = 0; begin < column.size();) {
    const int64_t bucket = BucketOf(column.times[begin], width_ns);
    const model::Times rest = column.times.Slice(begin, column.size());
    const size_t end = begin + rest.UpperBound(BucketEnd(bucket, width_ns));
    out->bucket.push_back(bucket);
    out->count.push_back(static_cast<int64_t>(end - begin));
    out->first_ns.push_back(column.times[begin]);
    out->last_ns.push_back(column.times[end - 1]);
    if (begin > 0 && values[begin] < values[begin - 1]) ++falls;
    const Summary<Number> summary = Summarise(std::span<const Number>(values + begin, end - begin));
    out->min.push_back(ToWord(summary.min));
    out->max.push_back(ToWord(summary.max));
    out->first.push_back(ToWord(values[begin]));
    out->last.push_back(ToWord(values[end - 1]));
    sums.push_back(summary.sum);
    increases.push_back(summary.increase);
    falls += summary.falls;
    begin = end;
  }
  out->exact_sum = StoreTotals(sums, out->scale, &out->sum);
  out->has_increase = increase == Increase::kAlways || falls <= column.size() / kRowsPerFall;
  if (out->has_increase) {
    out->exact_increase = StoreTotals(increases, out->scale, &out->increase);
  } else {
    out->exact_increase = false;
  }
}

// A column of doubles without its stale markers, in memory of its own.
struct Unstale {
  std::vector<int64_t> times;
  std::vector<double> values;
};

model::Column WithoutStale(const model::Column& column, Unstale* memory) {
  if (column.floats == nullptr || std::none_of(column.floats, column.floats + column.size(), model::IsStaleMarker))
    return column;
  for (size_t row = 0; row < column.size(); ++row) {
    if (model::IsStaleMarker(column.floats[row])) continue;
    memory->times.push_back(column.times[row]);
    memory->values.push_back(column.floats[row]);
  }
  model::Column out = column;
  out.times = {.size = memory->times.size(), .explicit_ns = memory->times.data()};
  out.floats = memory->values.data();
  return out;
}

// Appends buckets [begin, end) of `from` to `out` as one.
template <typename Number>
void AppendMerged(const BucketArrays& from, size_t begin, size_t end, BucketArrays* out) {
  int64_t count = 0;
  Number min = FromWord<Number>(from.min[begin]);
  Number max = FromWord<Number>(from.max[begin]);
  for (size_t i = begin; i < end; ++i) {
    const auto low = FromWord<Number>(from.min[i]);
    const auto high = FromWord<Number>(from.max[i]);
    count += from.count[i];
    if (low < min || IsNan(min)) min = low;
    if (high > max || IsNan(max)) max = high;
  }
  out->count.push_back(count);
  out->first_ns.push_back(from.first_ns[begin]);
  out->last_ns.push_back(from.last_ns[end - 1]);
  out->min.push_back(ToWord(min));
  out->max.push_back(ToWord(max));
  out->first.push_back(from.first[begin]);
  out->last.push_back(from.last[end - 1]);
}

// The totals of groups of buckets. `ends`: where each group ends. With `steps`, what happens between neighbouring
// buckets of a group is added.
template <typename Number, typename Total>
std::vector<Total> MergeTotals(const BucketArrays& from, const std::vector<size_t>& ends,
                               const std::vector<int64_t>& words, bool steps) {
  std::vector<Total> totals(ends.size());
  size_t begin = 0;
  for (size_t group = 0; group < ends.size(); ++group) {
    for (size_t i = begin; i < ends[group]; ++i) {
      if constexpr (std::is_same_v<Total, ExactTotal>) {
        totals[group].Add(words[i]);
      } else {
        totals[group].Add(FromWord<double>(words[i]));
      }
      if (!steps || i == begin) continue;
      const auto earlier = FromWord<Number>(from.last[i - 1]);
      const auto later = FromWord<Number>(from.first[i]);
      if constexpr (std::is_same_v<Total, ExactTotal> || std::is_floating_point_v<Number>) {
        totals[group].Add(StepOf(earlier, later));
      } else {
        totals[group].Add(static_cast<double>(StepOf(earlier, later)) / model::PowerOfTen(from.scale));
      }
    }
    begin = ends[group];
  }
  return totals;
}

template <typename Number>
bool StoreMerged(const BucketArrays& from, const std::vector<size_t>& ends, const std::vector<int64_t>& words,
                 bool exact, bool steps, std::vector<int64_t>* out) {
  if constexpr (!std::is_floating_point_v<Number>) {
    if (exact) return StoreTotals(MergeTotals<Number, ExactTotal>(from, ends, words, steps), from.scale, out);
  }
  return StoreTotals(MergeTotals<Number, CompensatedTotal>(from, ends, words, steps), from.scale, out);
}

std::array<std::vector<int64_t>*, 10> Arrays(BucketArrays* b) {
  return {&b->bucket, &b->count, &b->first_ns, &b->last_ns, &b->min,
          &b->max,    &b->first, &b->last,     &b->sum,     &b->increase};
}

void SumsToDoubles(BucketArrays* buckets) {
  if (!buckets->exact_sum) return;
  for (size_t i = 0; i < buckets->size(); ++i) buckets->sum[i] = ToWord(SumAt(*buckets, i));
  buckets->exact_sum = false;
}

void IncreasesToDoubles(BucketArrays* buckets) {
  if (!buckets->exact_increase) return;
  for (size_t i = 0; i < buckets->increase.size(); ++i) buckets->increase[i] = ToWord(IncreaseAt(*buckets, i));
  buckets->exact_increase = false;
}

// Of decimals.
void ToDoubles(BucketArrays* buckets) {
  if (buckets->scale == model::kBinaryScale) return;
  SumsToDoubles(buckets);
  IncreasesToDoubles(buckets);
  for (auto* values : {&buckets->min, &buckets->max, &buckets->first, &buckets->last}) {
    for (size_t i = 0; i < values->size(); ++i) (*values)[i] = ToWord(ValueAt(*buckets, *values, i));
  }
  buckets->scale = model::kBinaryScale;
}

// Decimals with more places; false (and nothing changes) where a word would no longer stand for the same double.
bool ScaleUp(uint8_t scale, BucketArrays* buckets) {
  constexpr int64_t kExact = int64_t{1} << 53;
  constexpr int kLargestPower = 18;  // that int64 holds
  if (scale - buckets->scale > kLargestPower) return false;
  const auto factor = static_cast<int64_t>(model::PowerOfTen(static_cast<uint8_t>(scale - buckets->scale)));
  BucketArrays scaled = *buckets;
  scaled.scale = scale;
  bool fits = true;
  const auto multiply = [&](std::vector<int64_t>* words, int64_t limit) {
    for (int64_t& word : *words)
      fits &= !__builtin_mul_overflow(word, factor, &word) && word <= limit && word >= -limit;
  };
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  for (auto* values : {&scaled.min, &scaled.max, &scaled.first, &scaled.last}) multiply(values, kExact);
  if (scaled.exact_sum) multiply(&scaled.sum, kAny);
  if (scaled.exact_increase) multiply(&scaled.increase, kAny);
  if (fits) *buckets = std::move(scaled);
  return fits;
}

}  // namespace

int64_t BucketOf(int64_t time_ns, int64_t width_ns) { return time_ns / width_ns + (time_ns % width_ns > 0 ? 1 : 0); }

int64_t BucketEnd(int64_t bucket, int64_t width_ns) {
  int64_t end;
  if (__builtin_mul_overflow(bucket, width_ns, &end)) return std::numeric_limits<int64_t>::max();
  return end;
}

void BucketArrays::Clear() {
  for (std::vector<int64_t>* array : Arrays(this)) array->clear();
}

BucketArrays Build(const model::Column& column, int64_t width_ns, Increase increase) {
  TM_CHECK(width_ns > 0);
  // Booleans count as the integers 0 and 1, also on disk: then programs that knew no buckets of them read them too.
  const bool of_bools = column.type == model::FieldType::kBool;
  BucketArrays out{.ref = column.ref, .type = of_bools ? model::FieldType::kInt : column.type, .width_ns = width_ns};
  if (column.type == model::FieldType::kString) return out;
  if (column.type == model::FieldType::kFloat) out.scale = column.scaled() ? column.scale : model::kBinaryScale;
  Unstale memory;
  const model::Column rows = WithoutStale(column, &memory);
  WithNumberType(out.type, out.scale, [&](auto number) { BuildAs<decltype(number)>(rows, width_ns, increase, &out); });
  return out;
}

BucketArrays Coarsen(const BucketArrays& buckets, int64_t factor) {
  TM_CHECK(factor > 0);
  BucketArrays out{.ref = buckets.ref, .type = buckets.type, .scale = buckets.scale};
  out.width_ns = buckets.width_ns * factor;
  out.has_increase = buckets.has_increase;
  std::vector<size_t> ends;
  WithNumberType(out.type, out.scale, [&](auto number) {
    using Number = decltype(number);
    for (size_t begin = 0; begin < buckets.size();) {
      const int64_t bucket = BucketOf(buckets.bucket[begin], factor);
      size_t end = begin + 1;
      while (end < buckets.size() && BucketOf(buckets.bucket[end], factor) == bucket) ++end;
      out.bucket.push_back(bucket);
      AppendMerged<Number>(buckets, begin, end, &out);
      ends.push_back(end);
      begin = end;
    }
    out.exact_sum = StoreMerged<Number>(buckets, ends, buckets.sum, buckets.exact_sum, false, &out.sum);
    out.exact_increase = out.has_increase && StoreMerged<Number>(buckets, ends, buckets.increase,
                                                                 buckets.exact_increase, true, &out.increase);
  });
  return out;
}

void EraseInside(model::TimeRange range, BucketArrays* buckets) {
  if (range.empty() || buckets->size() == 0) return;
  const std::vector<int64_t>& numbers = buckets->bucket;
  // Ends before the range, and starts behind it.
  const auto begin = std::partition_point(numbers.begin(), numbers.end(), [&](int64_t bucket) {
    return BucketEnd(bucket, buckets->width_ns) < range.first.ns;
  });
  const auto end = std::partition_point(
      begin, numbers.end(), [&](int64_t bucket) { return BucketEnd(bucket - 1, buckets->width_ns) < range.last.ns; });
  const std::ptrdiff_t first = begin - numbers.begin();
  const std::ptrdiff_t last = end - numbers.begin();
  for (std::vector<int64_t>* array : Arrays(buckets)) {
    if (!array->empty()) array->erase(array->begin() + first, array->begin() + last);
  }
}

void MakeAlike(BucketArrays* left, BucketArrays* right) {
  if (left->scale != right->scale) {
    BucketArrays* const lower = left->scale < right->scale ? left : right;
    const BucketArrays* const higher = lower == left ? right : left;
    if (higher->scale == model::kBinaryScale || !ScaleUp(higher->scale, lower)) {
      ToDoubles(left);
      ToDoubles(right);
    }
  }
  if (left->exact_sum != right->exact_sum) {
    SumsToDoubles(left);
    SumsToDoubles(right);
  }
  if (left->has_increase != right->has_increase) {
    for (BucketArrays* buckets : {left, right}) {
      buckets->has_increase = buckets->exact_increase = false;
      buckets->increase.clear();
    }
  }
  if (left->exact_increase != right->exact_increase) {
    IncreasesToDoubles(left);
    IncreasesToDoubles(right);
  }
}

void Append(BucketArrays later, BucketArrays* to) {
  if (later.size() == 0) return;
  if (to->size() == 0) {
    *to = std::move(later);
    return;
  }
  TM_CHECK(later.width_ns == to->width_ns && later.bucket.front() > to->bucket.back());
  MakeAlike(to, &later);
  const auto from = Arrays(&later);
  const auto out = Arrays(to);
  for (size_t i = 0; i < out.size(); ++i) out[i]->insert(out[i]->end(), from[i]->begin(), from[i]->end());
}

double ValueAt(const BucketArrays& buckets, const std::vector<int64_t>& values, size_t i) {
  return WithNumberType(buckets.type, buckets.scale, [&](auto number) {
    const auto value = static_cast<double>(FromWord<decltype(number)>(values[i]));
    return buckets.scale == model::kBinaryScale ? value : value / model::PowerOfTen(buckets.scale);
  });
}

double SumAt(const BucketArrays& buckets, size_t i) {
  if (!buckets.exact_sum) return FromWord<double>(buckets.sum[i]);
  return static_cast<double>(buckets.sum[i]) / model::PowerOfTen(buckets.scale);
}

double IncreaseAt(const BucketArrays& buckets, size_t i) {
  if (!buckets.exact_increase) return FromWord<double>(buckets.increase[i]);
  return static_cast<double>(buckets.increase[i]) / model::PowerOfTen(buckets.scale);
}

int64_t FirstTierWidth(int64_t step_ns) {
  constexpr int64_t kMinute = 60'000'000'000;
  constexpr std::array<int64_t, 7> kWidths = {kMinute,      5 * kMinute,   10 * kMinute,  30 * kMinute,
                                              60 * kMinute, 360 * kMinute, 1440 * kMinute};
  const auto* const found =
      std::find_if(kWidths.begin(), kWidths.end(), [&](int64_t width) { return width / kMinRowsPerBucket >= step_ns; });
  return step_ns <= 0 || found == kWidths.end() ? 0 : *found;
}

}  // namespace tidemark::rollup
