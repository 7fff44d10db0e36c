// Replies of the dashboard: its page and the files that the page loads.
#pragma once

#include <string_view>

#include "tools/server/http/message.h"

namespace tidemark::server {

// The page. A browser asks for it each time and mostly hears that it has not changed (304).
http::Response DashboardPage(const http::Request& request);

// The file "assets/NAME". It is named by its content, so that a browser keeps it for a year; 404 when there is none.
http::Response DashboardAsset(const http::Request& request, std::string_view name);

}  // namespace tidemark::server
