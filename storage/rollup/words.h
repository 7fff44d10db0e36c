// Words: the 8 bytes that buckets keep of a value, as the number that they stand for. Inside storage/rollup only.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "storage/model/batch.h"
#include "storage/model/field.h"
#include "storage/rollup/buckets.h"

namespace tidemark::rollup {

__extension__ using Wide = __int128;

template <typename Number>
Number FromWord(int64_t word) {
  return std::bit_cast<Number>(word);
}
template <typename Number>
int64_t ToWord(Number number) {
  return std::bit_cast<int64_t>(number);
}

// Calls `visit` with a value of the type that the words of a series are: int64_t, uint64_t or double.
template <typename Visit>
auto WithNumberType(model::FieldType type, uint8_t scale, Visit visit) {
  if (type == model::FieldType::kFloat && scale == model::kBinaryScale) return visit(double{});
  if (type == model::FieldType::kUInt) return visit(uint64_t{});
  return visit(int64_t{});
}

// Totals: one per bucket, of integers exact and as wide as needed, of doubles compensated. Stored as words at the end.
class ExactTotal {
 public:
  void Add(int64_t value) { sum_ += value; }
  void Add(uint64_t value) { sum_ += value; }
  void Add(Wide value) { sum_ += value; }
  [[nodiscard]] bool fits() const {
    return sum_ >= std::numeric_limits<int64_t>::min() && sum_ <= std::numeric_limits<int64_t>::max();
  }
  [[nodiscard]] int64_t word() const { return static_cast<int64_t>(sum_); }
  [[nodiscard]] double AsDouble(uint8_t scale) const { return static_cast<double>(sum_) / model::PowerOfTen(scale); }

 private:
  Wide sum_ = 0;
};

// Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54 (1974).
class CompensatedTotal {
 public:
  void Add(double value) {
    const double next = sum_ + value;
    // Of infinities there is no error to carry: it would turn them into NaN.
    if (std::isfinite(next)) {
      lost_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - next) + value : (value - next) + sum_;
    } else {
      lost_ = 0;
    }
    sum_ = next;
  }
  [[nodiscard]] double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

// What a step between two consecutive rows adds to an increase: after a reset a counter began at 0.
template <typename Number>
auto StepOf(Number earlier, Number later) {
  if constexpr (std::is_floating_point_v<Number>) {
    return later < earlier ? later : later - earlier;
  } else {
    // No branch: gauges fall at random.
    return Wide{later} - Wide{later < earlier ? Number{0} : earlier};
  }
}

// Replaces `words` with the totals: exact integers if all of them fit (true), otherwise bit patterns of doubles.
inline bool StoreTotals(const std::vector<ExactTotal>& totals, uint8_t scale, std::vector<int64_t>* words) {
  bool exact = true;
  for (const ExactTotal& total : totals) exact &= total.fits();
  words->clear();
  words->reserve(totals.size());
  for (const ExactTotal& total : totals) {
    words->push_back(exact ? total.word() : ToWord(total.AsDouble(scale)));
  }
  return exact;
}
inline bool StoreTotals(const std::vector<CompensatedTotal>& totals, uint8_t /*scale*/, std::vector<int64_t>* words) {
  words->clear();
  words->reserve(totals.size());
  for (const CompensatedTotal& total : totals) words->push_back(ToWord(total.value()));
  return false;
}

}  // namespace tidemark::rollup
