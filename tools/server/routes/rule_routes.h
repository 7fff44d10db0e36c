// The routes by which rule groups are read and changed. Added behind those of MakeRoutes.
#pragma once

#include <string>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/rules/rules_api.h"

namespace tidemark::server {

struct RuleRouteOptions {
  const RulesApi* rules = nullptr;  // outlives the router
  // Who may read it may read the rules. To change them is the right of an administrator of the server.
  std::string rules_database = "default";
};

void AddRuleRoutes(const RuleRouteOptions& options, std::vector<http::Route>* routes);

}  // namespace tidemark::server
