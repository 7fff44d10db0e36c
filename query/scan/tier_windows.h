// ScanTiers: windows answered by rollup buckets where a tier has them, and by raw rows at their ends and where buckets
// cannot be trusted. Where raw rows are gone buckets answer alone: those that the window's ends cut by as many rows,
// evenly spaced, as they have there (tier_part.h).
#pragma once

#include <cstdint>

#include "query/promql/functions.h"
#include "query/run/query_state.h"
#include "query/scan/scan.h"
#include "query/scan/series_source.h"
#include "storage/base/result.h"

namespace tidemark::query::scan {

// As ScanSeries with a kernel that gives `rollup`, which is not kNone, over the tier `width_ns`. Falls back to raw rows
// block by block where the tier does not help.
Status ScanTiers(const SeriesSource& source, const ScanSpec& spec, promql::Rollup rollup, int64_t width_ns,
                 run::QueryState* state, const BlockSink& sink);

// The newest sample within the look-back, as ScanSeries with the kernel of a plain selector. Where raw rows are gone
// that is the newest of the two that each bucket knows, its first and its last, within the look-back or the width of a
// bucket, whichever is longer.
Status ScanLatest(const SeriesSource& source, const ScanSpec& spec, run::QueryState* state, const BlockSink& sink);

}  // namespace tidemark::query::scan
