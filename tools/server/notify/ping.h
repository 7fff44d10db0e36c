// One call of a URL of which only the status of the answer counts.
#pragma once

#include <atomic>
#include <string>

#include "storage/base/result.h"

namespace tidemark::server::notify {

// GET, at most ten seconds; follows redirects. kUnavailable: no answer, or none of 2xx, or `stop` was set meanwhile.
// Blocks.
Result<void> Ping(const std::string& url, const std::atomic<bool>* stop);

}  // namespace tidemark::server::notify
