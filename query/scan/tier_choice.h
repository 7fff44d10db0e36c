// Which rollup tier answers windows in place of raw rows, and what is said where none can.
#pragma once

#include <cstdint>
#include <optional>

#include "query/plan/rollup_choice.h"
#include "query/promql/functions.h"
#include "query/run/query_state.h"
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

// The same for plain selectors, which use raw rows wherever these are there.
int64_t TierForLatest(const WindowSpec& windows, run::QueryState& state);

// What of these windows only tiers can tell.
std::optional<plan::Interval> GoneIn(const WindowSpec& windows, const run::QueryState& state);

}  // namespace tidemark::query::scan
