// ExplainJson: what a query did, for people.
#pragma once

#include <string>

#include "query/run/query_context.h"

namespace tidemark::query::api {

// What a query did, as one JSON object: {"resolution", "samples", "series", "tierBuckets", "peakBytes", "cache",
// "stepsReused", "plan"}. `plan` is the tree of operators, each {"operator", "text", "steps", "samples", "tierBuckets",
// "selfSeconds", "reused", "inputs"}; null where nothing was evaluated.
std::string ExplainJson(const run::QueryStats& stats);

}  // namespace tidemark::query::api
