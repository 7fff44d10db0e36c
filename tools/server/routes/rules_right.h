// Routes about what rules see, alerts and silences among it: whoever may read or write the database of the rules may.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/routes/route_row.h"

namespace tidemark::server {

// Whether the caller has this right to the database of the rules. Where he has not, `refusal` of the request says so.
bool MayUseRules(http::Access right, std::string_view rules_database, http::Request* request);

// As RouteRow, of a service of its own. A row of Scope::kHandler asks for its right to the database of the rules.
template <typename Service>
struct RulesRow {
  std::string_view pattern;
  http::Method method;
  http::Access right;
  http::Scope scope;
  http::Lane lane;
  Body body;
  RouteRow::Refuse refuse;
  http::Response (*handler)(const Service& service, http::Request& request);
};

// A handler that is a method of the service.
template <auto kMethod, typename Service>
http::Response CallMethod(const Service& service, http::Request& request) {
  return (service.*kMethod)(request);
}

// Appends the route of a row, whose pattern stands behind `prefix`. `service` outlives it.
template <typename Service>
void AddRulesRoute(const RulesRow<Service>& row, std::string_view prefix, const Service* service,
                   const std::string& rules_database, std::vector<http::Route>* routes) {
  http::Route& route = routes->emplace_back();
  route.access = row.right;
  route.scope = row.scope;
  route.lane = row.lane;
  route.pattern = std::string(prefix).append(row.pattern);
  route.methods = {row.method};
  SetBody(row.body, &route);
  route.refuse = row.refuse;
  route.handler = [row, service, rules_database](http::Request& request) {
    if (row.scope == http::Scope::kHandler && !MayUseRules(row.right, rules_database, &request)) {
      return row.refuse(403, request.refusal);
    }
    return row.handler(*service, request);
  };
}

}  // namespace tidemark::server
