#include "query/scan/tier_part.h"

#include <algorithm>
#include <utility>

#include "query/scan/even_rows.h"

namespace tidemark::query::scan {

using frame::Samples;
using plan::Interval;

void TierPart::MakeInexact() {
  if (!exact) return;
  const double power = model::PowerOfTen(scale);
  sum = {static_cast<double>(sum_words) / power, 0};
  lost = static_cast<double>(lost_words) / power;
  exact = false;
}

bool TierPart::ScaleTo(uint8_t wanted) {
  if (wanted == scale) return true;
  constexpr int kLargestPower = 18;  // that int64 holds
  if (wanted - scale > kLargestPower) return false;
  const auto factor = static_cast<int64_t>(model::PowerOfTen(static_cast<uint8_t>(wanted - scale)));
  int64_t words[3] = {sum_words, lost_words, last_word};
  for (int64_t& word : words) {
    if (__builtin_mul_overflow(word, factor, &word)) return false;
  }
  sum_words = words[0];
  lost_words = words[1];
  last_word = words[2];
  scale = wanted;
  return true;
}

void TierPart::Add(const TierPart& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  if (exact && other.exact && scale == other.scale) {
    int64_t total = 0;
    int64_t lost_total = 0;
    const bool fits = !__builtin_add_overflow(sum_words, other.sum_words, &total) &&
                      !__builtin_add_overflow(lost_words, other.lost_words, &lost_total) &&
                      (!(other.first < last) || !__builtin_add_overflow(lost_total, last_word, &lost_total));
    if (fits) {
      sum_words = total;
      lost_words = lost_total;
      AddEnds(other);
      return;
    }
  }
  TierPart later = other;
  const uint8_t wanted = std::max(scale, later.scale);
  const bool fell = later.first < last;
  bool fits = exact && later.exact && ScaleTo(wanted) && later.ScaleTo(wanted);
  if (fits) {
    TierPart added = *this;
    fits = !__builtin_add_overflow(added.sum_words, later.sum_words, &added.sum_words) &&
           !__builtin_add_overflow(added.lost_words, later.lost_words, &added.lost_words) &&
           (!fell || !__builtin_add_overflow(added.lost_words, last_word, &added.lost_words));
    if (fits) *this = added;
  }
  if (!fits) {
    MakeInexact();
    later.MakeInexact();
    sum.Add(later.sum.sum);
    sum.compensation += later.sum.compensation;
    lost += later.lost + (fell ? last : 0);
  }
  AddEnds(later);
}

void TierPart::AddAmong(TierPart other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  // The one that ends later comes second, for its last value.
  if (other.last_ns < last_ns) std::swap(*this, other);
  const double earliest = other.first_ns < first_ns ? other.first : first;
  const int64_t earliest_ns = std::min(first_ns, other.first_ns);
  TierPart& less = Lost() < other.Lost() ? *this : other;
  less.lost_words = 0;
  less.lost = 0;
  other.first = last;  // not a reset
  Add(other);
  first = earliest;
  first_ns = earliest_ns;
  if (last >= first || Lost() > 0) return;
  // It must have fallen; from no higher than this.
  MakeInexact();
  lost = max;
}

void TierPart::AddEnds(const TierPart& later) {
  if (later.min < min || std::isnan(min)) min = later.min;
  if (later.max > max || std::isnan(max)) max = later.max;
  count += later.count;
  last = later.last;
  last_ns = later.last_ns;
  last_word = later.last_word;
}

TierPart TierPart::Within(const Interval& window, CutAs as) const {
  if (count == 0 || (first_ns > window.after_ns && last_ns <= window.last_ns)) return *this;
  if (!MayHaveRowIn(window)) return {};
  switch (as) {
    case CutAs::kEvenRows: return EvenRowsWithin(window);
    case CutAs::kEnds: return EndsWithin(window);
    case CutAs::kPresence: break;
  }
  return *this;
}

TierPart TierPart::EvenRowsWithin(const Interval& window) const {
  const EvenRows rows(static_cast<int64_t>(count), first_ns, last_ns);
  const int64_t begin = rows.Until(window.after_ns);
  const int64_t end = rows.Until(window.last_ns);
  if (begin >= end) return {};
  const EvenCounter counter(rows, {.first = first, .last = last, .increase = Increase(), .min = min, .max = max});
  TierPart out;
  out.exact = false;
  out.count = static_cast<double>(end - begin);
  out.min = min;
  out.max = max;
  out.first = counter.ValueOf(begin);
  out.last = counter.ValueOf(end - 1);
  out.first_ns = rows.TimeOf(begin);
  out.last_ns = rows.TimeOf(end - 1);
  out.sum = {Mean() * out.count, 0};
  out.lost = counter.RiseTo(end - 1) - counter.RiseTo(begin) - (out.last - out.first);
  return out;
}

TierPart TierPart::EndsWithin(const Interval& window) const {
  TierPart out = *this;
  out.exact = false;
  out.count = 1;
  if (first_ns > window.after_ns && first_ns <= window.last_ns) {
    out.last = first;
    out.last_ns = first_ns;
  } else if (last_ns > window.after_ns && last_ns <= window.last_ns) {
    out.first = last;
    out.first_ns = last_ns;
  } else {
    return {};
  }
  return out;
}

bool TierPart::AddsUpAsRows() const {
  if (!exact) return false;
  // Rows are judged by the bits of all their magnitudes together, which may be twice the largest.
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const double largest = std::max(std::fabs(min), std::fabs(max)) * model::PowerOfTen(scale);
  return (2 * largest + 1) * count <= kExact;
}

TierPart TierPart::OfRows(Samples* samples, uint32_t begin, uint32_t end) {
  TierPart part;
  const double* const values = samples->doubles();
  part.count = end - begin;
  part.min = part.max = part.first = values[begin];
  part.last = values[end - 1];
  part.first_ns = samples->times()[begin];
  part.last_ns = samples->times()[end - 1];
  for (uint32_t row = begin; row < end; ++row) {
    if (values[row] < part.min || std::isnan(part.min)) part.min = values[row];
    if (values[row] > part.max || std::isnan(part.max)) part.max = values[row];
  }
  if (samples->SumsExactly(end - begin)) {
    const int64_t* const ints = samples->ints();
    part.scale = samples->scale();
    for (uint32_t row = begin; row < end; ++row) part.sum_words += ints[row];
    for (uint32_t row = begin + 1; row < end; ++row) part.lost_words += ints[row] < ints[row - 1] ? ints[row - 1] : 0;
    part.last_word = ints[end - 1];
    return part;
  }
  part.exact = false;
  for (uint32_t row = begin; row < end; ++row) part.sum.Add(values[row]);
  for (uint32_t row = begin + 1; row < end; ++row) part.lost += values[row] < values[row - 1] ? values[row - 1] : 0;
  return part;
}

TierPart TierPart::OfBucket(const storage::TierColumn& column, size_t i) {
  TierPart part;
  part.count = static_cast<double>(column.count[i]);
  part.min = column.min[i];
  part.max = column.max[i];
  part.first = column.first[i];
  part.last = column.last[i];
  part.first_ns = column.first_ns[i];
  part.last_ns = column.last_ns[i];
  const bool increase = column.increase != nullptr && !std::isnan(column.increase[i]);
  if (column.sum_words != nullptr && (column.increase_words != nullptr || !increase)) {
    part.scale = column.scale;
    part.sum_words = column.sum_words[i];
    part.last_word = column.last_words[i];
    // Without an increase nobody asks, or there is nothing better.
    if (increase) part.lost_words = column.increase_words[i] - (column.last_words[i] - column.first_words[i]);
    return part;
  }
  part.exact = false;
  part.sum = {column.sum[i], 0};
  if (increase) part.lost = column.increase[i] - (column.last[i] - column.first[i]);
  return part;
}

}  // namespace tidemark::query::scan
