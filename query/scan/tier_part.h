// TierPart: what a stretch of rows, or a bucket, adds to a window of a range function; parts put together in their
// order give the window.
//
// A bucket whose rows are gone may lie in a window with a part of it only. It then counts as rows spaced evenly from
// its first to its last time, as many as it has; what values these have depends on who asks (CutAs).
#pragma once

#include <cmath>
#include <cstdint>

#include "query/frame/kahan.h"
#include "query/frame/samples.h"
#include "query/plan/rollup_choice.h"
#include "storage/model/batch.h"
#include "storage/storage.h"

namespace tidemark::query::scan {

// What is known of the rows inside of a bucket that a window's end cuts.
enum class CutAs : uint8_t {
  // Each is the mean for sums, the least for the minimum, the greatest for the maximum; a counter rises from row to row
  // by the same amount. Where it was reset inside of the bucket, that is taken to have been once, as late as its last
  // value allows.
  kEvenRows,
  kEnds,      // the first and the last row, which are real, and no other
  kPresence,  // whether there may be a row: between its first and its last
};

struct TierPart {
  double count = 0;
  double min = 0;
  double max = 0;
  double first = 0;
  double last = 0;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
  // The sum of the values, and of those that a counter had before each of its resets. Integers times 10^-scale while
  // `exact`, so that the order of adding does not matter.
  bool exact = true;
  uint8_t scale = 0;
  int64_t sum_words = 0;
  int64_t lost_words = 0;
  int64_t last_word = 0;
  frame::KahanSum sum;
  double lost = 0;
  // Of a bucket: nobody may trust it, its rows are read.
  bool raw = false;

  // Of a bucket: what of it lies in the window.
  [[nodiscard]] TierPart Within(const plan::Interval& window, CutAs as) const;

  // Of a bucket: whether the window meets the time from its first to its last row.
  [[nodiscard]] bool MayHaveRowIn(const plan::Interval& window) const {
    return first_ns <= window.last_ns && last_ns > window.after_ns;
  }

  // Adds what comes after this.
  void Add(const TierPart& later);
  // Adds rows that lie among these in time, at other times. Whether a counter that both are of was reset between them
  // is not known: what each has lost counts once, as a reset shows in both.
  void AddAmong(TierPart other);
  // Whether raw rows would add up exactly too (Samples::SumsExactly), so that both give the same bits.
  [[nodiscard]] bool AddsUpAsRows() const;
  // Whether Increase() has the bits that rows give, which add what each reset lost as a double of its own: always when
  // those are integers. Of decimals a bucket knows the exact sum only.
  [[nodiscard]] bool LosesAsRows() const { return exact && (scale == 0 || lost_words == 0); }
  [[nodiscard]] double Sum() const {
    return exact ? static_cast<double>(sum_words) / model::PowerOfTen(scale) : sum.Total();
  }
  [[nodiscard]] double Mean() const { return exact ? Sum() / count : (sum.sum / count + sum.compensation / count); }
  // What a counter lost by its resets.
  [[nodiscard]] double Lost() const {
    return exact ? static_cast<double>(lost_words) / model::PowerOfTen(scale) : lost;
  }
  // last - first, corrected for resets.
  [[nodiscard]] double Increase() const {
    const double change = last - first;
    if (!exact) return change + lost;
    return lost_words == 0 ? change : change + static_cast<double>(lost_words) / model::PowerOfTen(scale);
  }

  // Rows [begin, end), at least one.
  static TierPart OfRows(frame::Samples* samples, uint32_t begin, uint32_t end);
  // Bucket `index` of a column, trusted and not empty.
  static TierPart OfBucket(const storage::TierColumn& column, size_t index);

 private:
  [[nodiscard]] TierPart EvenRowsWithin(const plan::Interval& window) const;
  [[nodiscard]] TierPart EndsWithin(const plan::Interval& window) const;
  void AddEnds(const TierPart& later);
  void MakeInexact();
  // false where int64 does not hold the words.
  bool ScaleTo(uint8_t wanted);
};

}  // namespace tidemark::query::scan
