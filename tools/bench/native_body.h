// The devops workload as native batches (ingest/native): a dictionary that the first request brings, then columns.
#pragma once

#include <memory>

#include "tools/bench/request_body.h"

namespace tidemark::bench {

// `single`: a series of its own for each host and field, as a scraper sends them. `remembered`: the series are named
// once, in the opening; else each batch names its own.
std::unique_ptr<RequestBody> MakeNativeBody(const DevopsWorkload* workload, bool single, bool remembered);

}  // namespace tidemark::bench
