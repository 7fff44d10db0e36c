// The routes: what is served, by whom, to whom. Each area has a table in a file of its own (areas.h); here they are put
// together.
#pragma once

#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/routes/services.h"

namespace tidemark::server {

std::vector<http::Route> MakeRoutes(const Services& services);

}  // namespace tidemark::server
