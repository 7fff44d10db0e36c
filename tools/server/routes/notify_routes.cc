#include "tools/server/routes/notify_routes.h"

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
using notify::AlertmanagerApi;

// As RouteRow, of another service.
struct Row {
  std::string_view pattern;
  Method method;
  Access right;
  Scope scope;
  Lane lane;
  Body body;
  RouteRow::Refuse refuse;
  Response (*handler)(const AlertmanagerApi& api, Request& request);
};

template <auto kMethod>
Response Call(const AlertmanagerApi& api, Request& request) {
  return (api.*kMethod)(request);
}

constexpr RouteRow::Refuse kOwn = &notify::RefuseAsAlertmanager;

// clang-format off
constexpr Row kRows[] = {
    {"/api/v2/status", Method::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kOwn, [](const AlertmanagerApi& api, Request&) { return api.Status(); }},
    {"/api/v2/receivers", Method::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kOwn, [](const AlertmanagerApi& api, Request&) { return api.Receivers(); }},
    {"/api/v2/alerts", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &Call<&AlertmanagerApi::ListAlerts>},
    {"/api/v2/alerts", Method::kPost, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kMessage, kOwn, &Call<&AlertmanagerApi::PostAlerts>},
    {"/api/v2/alerts/groups", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &Call<&AlertmanagerApi::ListGroups>},
    {"/api/v2/silences", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &Call<&AlertmanagerApi::ListSilences>},
    {"/api/v2/silences", Method::kPost, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kMessage, kOwn, &Call<&AlertmanagerApi::PostSilence>},
    {"/api/v2/silence/*", Method::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kOwn, &Call<&AlertmanagerApi::GetSilence>},
    {"/api/v2/silence/*", Method::kDelete, Access::kWrite, Scope::kHandler, Lane::kWrite, Body::kNone, kOwn, &Call<&AlertmanagerApi::DeleteSilence>},
    {"/api/v1/admin/alert/test", Method::kPost, Access::kAdmin, Scope::kServer, Lane::kWrite, Body::kForm, &RefuseAsPrometheus, &Call<&AlertmanagerApi::SendTest>},
};
// clang-format on

}  // namespace

void AddNotifyRoutes(const NotifyRouteOptions& options, std::vector<http::Route>* routes) {
  for (const Row& row : kRows) {
    http::Route& route = routes->emplace_back();
    route.access = row.right;
    route.scope = row.scope;
    route.lane = row.lane;
    route.pattern = std::string(row.pattern);
    route.methods = {row.method};
    SetBody(row.body, &route);
    route.refuse = row.refuse;
    route.handler = [row, options](Request& request) {
      if (row.scope == Scope::kHandler && !request.caller->May(row.right, options.rules_database)) {
        request.refusal =
            fmt::format("\"{}\" has no right to {} the database of the rules, \"{}\"", request.caller->name(),
                        row.right == Access::kRead ? "read" : "write", options.rules_database);
        return row.refuse(403, request.refusal);
      }
      return row.handler(*options.alertmanager, request);
    };
  }
}

}  // namespace tidemark::server
