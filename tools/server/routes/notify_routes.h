// The routes of Alertmanager's API v2: alerts, who is told of them, silences. Added behind those of MakeRoutes.
#pragma once

#include <string>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/notify/alertmanager_api.h"

namespace tidemark::server {

struct NotifyRouteOptions {
  const notify::AlertmanagerApi* alertmanager = nullptr;  // outlives the router
  // What rules see: who may read or write it may do so with alerts and silences.
  std::string rules_database = "default";
};

void AddNotifyRoutes(const NotifyRouteOptions& options, std::vector<http::Route>* routes);

}  // namespace tidemark::server
