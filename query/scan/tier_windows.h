// ScanTiers: windows answered by rollup buckets where a tier has them, and by raw rows at their ends and where buckets
// cannot be trusted.
#pragma once

#include <cstdint>
#include <optional>

#include "query/promql/functions.h"
#include "query/run/query_state.h"
#include "query/scan/scan.h"
#include "query/scan/series_source.h"
#include "storage/base/result.h"

namespace tidemark::query::scan {

// The tier that the query's resolution allows for this value of these windows; 0 for raw rows. Warns where raw rows
// are gone and tiers cannot answer.
int64_t TierFor(promql::Rollup rollup, const WindowSpec& windows, run::QueryState& state);

// Up to when buckets of `width_ns` answer alone, because raw rows of some of these windows are gone: the end of one.
std::optional<int64_t> GoneUntil(const WindowSpec& windows, int64_t width_ns, const run::QueryState& state);

// As ScanSeries with a kernel that gives `rollup`, which is not kNone, over the tier `width_ns`. Falls back to raw rows
// block by block where the tier does not help.
Status ScanTiers(const SeriesSource& source, const ScanSpec& spec, promql::Rollup rollup, int64_t width_ns,
                 run::QueryState* state, const BlockSink& sink);

// The newest sample within the look-back, as ScanSeries with the kernel of a plain selector. Where raw rows are gone
// that is the last one of the newest bucket that ended within the look-back, or within its own width.
Status ScanLatest(const SeriesSource& source, const ScanSpec& spec, run::QueryState* state, const BlockSink& sink);

}  // namespace tidemark::query::scan
