// EvenRows: the rows that stand for a bucket whose own are gone: as many, spaced evenly from its first to its last
// time. Steady series, whose rows were spaced like that, come out exactly.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace tidemark::query::scan {

// Rows 0 to count - 1; `count` >= 1.
class EvenRows {
 public:
  EvenRows(int64_t count, int64_t first_ns, int64_t last_ns)
      : count_(std::max<int64_t>(count, 1)), first_ns_(first_ns), span_ns_(std::max<int64_t>(last_ns - first_ns, 0)) {}

  [[nodiscard]] int64_t count() const { return count_; }
  // Rounded down to a nanosecond.
  [[nodiscard]] int64_t TimeOf(int64_t row) const {
    return count_ == 1 ? first_ns_ : first_ns_ + static_cast<int64_t>(Wide{span_ns_} * row / (count_ - 1));
  }
  // Rows at or before a time.
  [[nodiscard]] int64_t Until(int64_t time_ns) const {
    if (time_ns < first_ns_) return 0;
    const Wide past = Wide{time_ns} - first_ns_ + 1;
    if (span_ns_ == 0 || past > span_ns_) return count_;
    // Row i is there when span * i / (count - 1), rounded down, is less than `past`.
    return std::min(count_, static_cast<int64_t>((past * (count_ - 1) + span_ns_ - 1) / span_ns_));
  }

 private:
  __extension__ using Wide = __int128;

  int64_t count_;
  int64_t first_ns_;
  int64_t span_ns_;
};

// EvenCounter: the values of such rows of a counter, which rises by the same amount from each to the next.
class EvenCounter {
 public:
  struct Bucket {
    double first;
    double last;
    double increase;  // from `first` to `last`, corrected for resets
    double min;
    double max;
  };
  EvenCounter(const EvenRows& rows, const Bucket& bucket) : last_row_(rows.count() - 1), bucket_(bucket) {}

  // What the counter has risen since row 0.
  [[nodiscard]] double RiseTo(int64_t row) const {
    if (row == 0) return 0;
    if (row == last_row_) return bucket_.increase;
    return bucket_.increase * static_cast<double>(row) / static_cast<double>(last_row_);
  }
  // Whether it has risen by more than from `first` to `last`.
  [[nodiscard]] bool has_reset() const { return bucket_.increase - (bucket_.last - bucket_.first) > Noise(); }
  // Of one with a reset: the value before it, which is what the bucket lost. No counter lost less than `first`; sums of
  // doubles may come out a little below that, and rows that fell to it would be another reset.
  [[nodiscard]] double Peak() const {
    const double lost = bucket_.first + bucket_.increase - bucket_.last;
    return lost > bucket_.first + Noise() ? lost : bucket_.first;
  }
  // Of one with a reset: it is taken to have been once, before the rows from which the counter can rise to `last`.
  [[nodiscard]] bool IsBehindReset(int64_t row) const { return ValueBehindReset(row) >= -Noise(); }
  [[nodiscard]] double ValueOf(int64_t row) const {
    if (row == 0) return bucket_.first;
    if (row == last_row_) return bucket_.last;
    const double before = bucket_.first + RiseTo(row);
    if (!has_reset()) return before;
    return std::clamp(IsBehindReset(row) ? ValueBehindReset(row) : before, bucket_.min, bucket_.max);
  }

 private:
  [[nodiscard]] double ValueBehindReset(int64_t row) const { return bucket_.last - (bucket_.increase - RiseTo(row)); }
  // What sums of doubles may be off by.
  [[nodiscard]] double Noise() const {
    return 1e-9 * std::max({std::fabs(bucket_.first), std::fabs(bucket_.last), std::fabs(bucket_.increase)});
  }

  int64_t last_row_;
  Bucket bucket_;
};

}  // namespace tidemark::query::scan
