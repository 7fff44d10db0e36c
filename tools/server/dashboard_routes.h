// Routes of the dashboard: its page and the files that the page loads.
#pragma once

#include <vector>

#include "tools/server/http/router.h"

namespace tidemark::server {

// Appends /dashboard and /dashboard/assets/NAME to `routes`.
void AddDashboardRoutes(std::vector<http::Route>* routes);

}  // namespace tidemark::server
