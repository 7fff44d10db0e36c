// One call of a URL of which only the status of the answer counts.
#pragma once

#include <atomic>
#include <string>

#include "storage/base/result.h"

namespace tidemark::server::notify {

// kInvalidArgument: it is no URL of http or https with a host. The words do not repeat it: it may be a secret.
Status CheckPingUrl(const std::string& url);

// GET, at most ten seconds; follows redirects. kUnavailable: no answer, or none of 2xx, or `stop` was set meanwhile.
// Of the answer's body
// a beginning is read. Blocks.
Result<void> Ping(const std::string& url, const std::atomic<bool>* stop);

}  // namespace tidemark::server::notify
