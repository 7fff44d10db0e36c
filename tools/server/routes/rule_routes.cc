#include "tools/server/routes/rule_routes.h"

#include <string_view>

#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/rules_right.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Method;
using http::Scope;

// What may be done with all rules, a namespace (one capture) or a group (two): behind a prefix.
// clang-format off
constexpr RulesRow<RulesApi> kRows[] = {
    {"", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseAsPrometheus, &CallMethod<&RulesApi::List>},
    {"/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseAsPrometheus, &CallMethod<&RulesApi::List>},
    {"/*", Method::kPost, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kMessage, &RefuseAsPrometheus, &CallMethod<&RulesApi::Put>},
    {"/*", Method::kDelete, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kNone, &RefuseAsPrometheus, &CallMethod<&RulesApi::DeleteAll>},
    {"/*/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseAsPrometheus, &CallMethod<&RulesApi::Get>},
    {"/*/*", Method::kDelete, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kNone, &RefuseAsPrometheus, &CallMethod<&RulesApi::Delete>},
};

constexpr RulesRow<BackfillApi> kBackfills[] = {
    {"", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseAsPrometheus, &CallMethod<&BackfillApi::List>},
    {"", Method::kPost, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kForm, &RefuseAsPrometheus, &CallMethod<&BackfillApi::Begin>},
    {"/*", Method::kDelete, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kNone, &RefuseAsPrometheus, &CallMethod<&BackfillApi::Cancel>},
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
    for (const RulesRow<RulesApi>& row : kRows) {
      if (row.pattern.empty() && !prefix.list) continue;
      AddRulesRoute(row, prefix.path, options.rules, options.rules_database, routes);
    }
  }
  for (const RulesRow<BackfillApi>& row : kBackfills) {
    AddRulesRoute(row, "/api/v1/backfills", options.backfills, options.rules_database, routes);
  }
}

}  // namespace tidemark::server
