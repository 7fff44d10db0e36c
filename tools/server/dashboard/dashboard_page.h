// The page of /dashboard: dashboard.html beside this file, compiled in.
#pragma once

#include <string>

namespace tidemark::server {

const std::string& DashboardPage();

}  // namespace tidemark::server
