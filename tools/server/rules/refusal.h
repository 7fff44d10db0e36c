// How this room answers what it cannot do.
#pragma once

#include "storage/base/result.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// In the envelope of Prometheus' API.
http::Response RefuseRules(const Error& error);

}  // namespace tidemark::server
