#include "tools/server/routes/notify_routes.h"

#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/rules_right.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Method;
using http::Request;
using http::Scope;
using notify::AlertmanagerApi;

constexpr RouteRow::Refuse kOwn = &notify::RefuseAsAlertmanager;

// clang-format off
constexpr RulesRow<AlertmanagerApi> kRows[] = {
    {"/api/v2/status", Method::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kOwn, [](const AlertmanagerApi& api, Request&) { return api.Status(); }},
    {"/api/v2/receivers", Method::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kOwn, [](const AlertmanagerApi& api, Request&) { return api.Receivers(); }},
    {"/api/v2/alerts", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &CallMethod<&AlertmanagerApi::ListAlerts>},
    {"/api/v2/alerts", Method::kPost, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kMessage, kOwn, &CallMethod<&AlertmanagerApi::PostAlerts>},
    {"/api/v2/alerts/groups", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &CallMethod<&AlertmanagerApi::ListGroups>},
    {"/api/v2/silences", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &CallMethod<&AlertmanagerApi::ListSilences>},
    {"/api/v2/silences", Method::kPost, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kMessage, kOwn, &CallMethod<&AlertmanagerApi::PostSilence>},
    {"/api/v2/silence/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &CallMethod<&AlertmanagerApi::GetSilence>},
    {"/api/v2/silence/*", Method::kDelete, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kNone, kOwn, &CallMethod<&AlertmanagerApi::DeleteSilence>},
    {"/api/v1/admin/alert/test", Method::kPost, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kForm, &RefuseAsPrometheus, &CallMethod<&AlertmanagerApi::SendTest>},
};
// clang-format on

}  // namespace

void AddNotifyRoutes(const NotifyRouteOptions& options, std::vector<http::Route>* routes) {
  for (const RulesRow<AlertmanagerApi>& row : kRows) {
    AddRulesRoute(row, "", options.alertmanager, options.rules_database, routes);
  }
}

}  // namespace tidemark::server
