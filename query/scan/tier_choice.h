// Which rollup tier answers windows in place of raw rows, and what is said where none can.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/plan/rollup_choice.h"
#include "query/promql/functions.h"
#include "query/run/query_state.h"
#include "query/scan/gone_rows.h"
#include "query/scan/tier_part.h"
#include "query/scan/windows.h"

namespace tidemark::query::scan {

// What a value takes of the parts of a window.
struct TierNeeds {
  bool sums = false;
  bool changes = false;  // with resets
};
TierNeeds NeedsOf(promql::Rollup rollup);

// What a value makes of a bucket that the window's end cuts.
CutAs CutAsOf(promql::Rollup rollup);

// The tier that the query's resolution allows for this value of these windows; 0 for raw rows. Warns where raw rows
// are gone and tiers cannot answer, or only roughly.
int64_t TierFor(promql::Rollup rollup, const WindowSpec& windows, run::QueryState& state);

// Says that windows cut buckets of what is gone, and what is made of that.
void WarnOfCut(const plan::Interval& gone, int64_t width_ns, run::QueryState& state);

// Says that buckets of what is gone were left out, because what they keep does not answer this function.
void WarnOfLeftOut(const plan::Interval& gone, int64_t width_ns, run::QueryState& state);

// Says that buckets of integers and of floats of one series were put together, whose rows lie among each other.
void WarnOfMixed(const plan::Interval& gone, int64_t width_ns, run::QueryState& state);

// TierFor for plain selectors, which use raw rows wherever these are there.
int64_t TierForLatest(const WindowSpec& windows, run::QueryState& state);

// The tier whose buckets stand for rows of `range` that are gone (GoneRows); 0 where none are gone, or with a
// warning where nothing can. Warns where what stands for them is made up.
int64_t TierForRows(model::TimeRange range, GoneRows rows, run::QueryState& state);

// What of these times only tiers can tell, if anything; as far as buckets of `width_ns` reach beyond them.
std::optional<plan::Interval> GoneIn(model::TimeRange range, int64_t width_ns, const run::QueryState& state);

// Sets the steps whose windows meet what is gone, if no tier may tell of it: nobody can say then that there was
// nothing.
void NoteUnknown(const WindowSpec& windows, run::QueryState& state, std::vector<uint8_t>* steps);

// Makes windows that end in what is gone at least as long as a bucket: so long its last known row counts.
void WidenToBuckets(int64_t width_ns, const run::QueryState& state, WindowSpec* windows);

}  // namespace tidemark::query::scan
