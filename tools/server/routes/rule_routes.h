// The routes by which rule groups are read and changed, and back-filled. Added behind those of MakeRoutes.
#pragma once

#include <string>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/rules/backfill_api.h"
#include "tools/server/rules/rules_api.h"

namespace tidemark::server {

struct RuleRouteOptions {
  // Both outlive the router.
  const RulesApi* rules = nullptr;
  const BackfillApi* backfills = nullptr;
  // Who may read it may read the rules. To change them is the right of an administrator of the server.
  std::string rules_database = "default";
};

void AddRuleRoutes(const RuleRouteOptions& options, std::vector<http::Route>* routes);

}  // namespace tidemark::server
