// GoneRows: what stands for the rows of a rollup bucket that are gone, before a kernel that folds rows.
#pragma once

#include <cstdint>

#include "query/promql/functions.h"

namespace tidemark::query::scan {

enum class GoneRows : uint8_t {
  kNone,      // nothing: the answer leaves them out, and says so
  kAnswered,  // nothing, because whoever reads rows has asked buckets for the rest
  kEnds,      // the first and the last row, which are real
  // The rows of buckets of which each value is known: all alike, or one or two. Of others nothing, which is said.
  kKnown,
  kReset,  // for counting resets: the first and the last row, and between them one reset where the bucket had any
  // As many as there were, spaced evenly in time:
  kMean,     // with the mean of all
  kMin,      // or the least
  kMax,      // or the greatest
  kCounter,  // rising by the same from each to the next, as the bucket's increase has it
  kChord,    // on the line from the first to the last
  kLine,     // on one as steep through the mean
};

// For a kernel that gives `rollup`: in place of buckets, which only whole series have.
constexpr GoneRows GoneRowsOf(promql::Rollup rollup) {
  using promql::Rollup;
  switch (rollup) {
    case Rollup::kNone:
    case Rollup::kQuantile: return GoneRows::kNone;
    case Rollup::kAvg:
    case Rollup::kCount:
    case Rollup::kPresent:
    case Rollup::kSum: return GoneRows::kMean;
    case Rollup::kFirst:
    case Rollup::kLast: return GoneRows::kEnds;
    case Rollup::kIncrease:
    case Rollup::kRate: return GoneRows::kCounter;
    case Rollup::kMax: return GoneRows::kMax;
    case Rollup::kMin: return GoneRows::kMin;
  }
  return GoneRows::kNone;
}

}  // namespace tidemark::query::scan
