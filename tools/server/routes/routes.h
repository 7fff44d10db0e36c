// The one table of routes: what is served, by whom, to whom.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "query/api/api.h"
#include "query/api/event_tap.h"
#include "storage/storage.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/http/router.h"
#include "tools/server/influx/influx_service.h"
#include "tools/server/write/write_service.h"

namespace tidemark::server {

// Bytes of a form with a query in it.
inline constexpr size_t kFormBytesMax = size_t{1} << 20;

// What the handlers call. All outlive the router.
struct Services {
  WriteService* writes = nullptr;
  InfluxService* influx = nullptr;
  AdminService* admin = nullptr;
  const query::api::QueryApi* api = nullptr;
  query::api::EventTap* events = nullptr;
  std::function<std::string()> metrics;  // the text of /metrics
  size_t body_bytes_max = 25'000'000;
};

std::vector<http::Route> MakeRoutes(const Services& services);

}  // namespace tidemark::server
