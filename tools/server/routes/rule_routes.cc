#include "tools/server/routes/rule_routes.h"

#include <fmt/core.h>

#include <string_view>

#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/route_row.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Method;
using http::Request;
using http::Response;
using http::Scope;

// What may be done with all rules, a namespace (one capture) or a group (two).
struct Row {
  std::string_view under;  // behind a prefix
  Method method;
  Access right;
  Scope scope;
  Lane lane;
  Body body;
  Response (RulesApi::*handler)(const Request& request) const;
};

// clang-format off
constexpr Row kRows[] = {
    {"", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RulesApi::List},
    {"/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RulesApi::List},
    {"/*", Method::kPost, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kMessage, &RulesApi::Put},
    {"/*", Method::kDelete, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kNone, &RulesApi::DeleteAll},
    {"/*/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RulesApi::Get},
    {"/*/*", Method::kDelete, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kNone, &RulesApi::Delete},
};
// clang-format on

// Mimir's address, with and without the prefix of its queries; Grafana's for a data source of the kind Prometheus; and
// Cortex', whose first is Prometheus' own.
struct Prefix {
  std::string_view path;
  bool list;
};
constexpr Prefix kPrefixes[] = {
    {"/config/v1/rules", true}, {"/prometheus/config/v1/rules", true}, {"/rules", true}, {"/api/v1/rules", false}};

}  // namespace

void AddRuleRoutes(const RuleRouteOptions& options, std::vector<http::Route>* routes) {
  for (const Prefix& prefix : kPrefixes) {
    for (const Row& row : kRows) {
      if (row.under.empty() && !prefix.list) continue;
      http::Route& route = routes->emplace_back();
      route.access = row.right;
      route.scope = row.scope;
      route.lane = row.lane;
      route.pattern = fmt::format("{}{}", prefix.path, row.under);
      route.methods = {row.method};
      SetBody(row.body, &route);
      route.refuse = &RefuseAsPrometheus;
      route.handler = [row, options](Request& request) {
        if (row.scope == Scope::kHandler && !request.caller->May(Access::kRead, options.rules_database)) {
          return RefuseAsPrometheus(403, fmt::format("\"{}\" has no right to read the database of the rules, \"{}\"",
                                                     request.caller->name(), options.rules_database));
        }
        return (options.rules->*row.handler)(request);
      };
    }
  }
}

}  // namespace tidemark::server
