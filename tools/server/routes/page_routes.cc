#include <fmt/core.h>

#include <string>

#include "storage/base/text/query_escape.h"
#include "tools/server/dashboard/dashboard_reply.h"
#include "tools/server/routes/areas.h"
#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/route_row.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Request;
using http::Response;
using http::Scope;

Response Metrics(const Services& services, Request& /*request*/) {
  Response response = http::TextResponse(200, services.metrics());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

Response Dashboard(const Services& /*services*/, Request& request) { return DashboardPage(request); }

Response Asset(const Services& /*services*/, Request& request) { return DashboardAsset(request, request.captures[0]); }

Response ToDashboard(const Services& /*services*/, Request& request) {
  Response response;
  response.status = 302;
  response.Set("Location", request.database.empty() ? "/dashboard" : "/db/" + request.database + "/dashboard");
  return response;
}

// Prometheus' address of an expression, g0.expr=...&g0.tab=1: what graphLink and tableLink in the text of an alert lead
// to, and what Alertmanager and Grafana make of an alert. Explore shows the same.
Response Graph(const Services& /*services*/, Request& request) {
  constexpr size_t kPanelsMax = 20;
  const std::string_view database = request.database.empty() ? request.params.Get("db") : request.database;
  std::string location = "/dashboard?page=explore";
  for (size_t i = 0; i < kPanelsMax; ++i) {
    const std::string_view expr = request.params.Get(fmt::format("g{}.expr", i));
    if (expr.empty()) continue;
    location += "&q=" + text::QueryEscape(expr);
    if (!database.empty()) location += "&db=" + text::QueryEscape(database);
  }
  // A number as Prometheus 2 has it, a word as 3 has it.
  const std::string_view tab = request.params.Get("g0.tab");
  if (tab == "1" || tab == "table") location += "&view=table";
  Response response;
  response.status = 302;
  response.Set("Location", std::move(location));
  return response;
}

Response List(const Services& services, Request& /*request*/) { return services.dashboards->List(); }
Response Load(const Services& services, Request& request) {
  return services.dashboards->Get(request, request.captures[0]);
}
// Whether somebody may not change a dashboard; then why is in the request.
bool IsOfOthers(const Services& services, Request& request) {
  const Result<void> made = services.dashboards->CheckMaker(*request.caller, request.captures[0]);
  if (!made.ok()) request.refusal = made.error().message;
  return !made.ok();
}

Response Save(const Services& services, Request& request) {
  if (IsOfOthers(services, request)) return RefuseAsPrometheus(403, request.refusal);
  Response response = services.dashboards->Put(request, request.captures[0]);
  if (response.status < 300) request.act = "dashboard save " + request.captures[0];
  return response;
}
Response Drop(const Services& services, Request& request) {
  if (IsOfOthers(services, request)) return RefuseAsPrometheus(403, request.refusal);
  Response response = services.dashboards->Delete(request, request.captures[0]);
  if (response.status < 300) request.act = "dashboard delete " + request.captures[0];
  return response;
}
Response History(const Services& services, Request& request) {
  return services.dashboards->History(request.captures[0]);
}

constexpr RouteRow::Refuse kEnvelope = &RefuseAsPrometheus;

// clang-format off
constexpr RouteRow kRows[] = {
    {"/api/v1/dashboards", Methods::kGet, Access::kRead, Scope::kSession, Lane::kRead, Body::kNone, kEnvelope, &List},
    {"/api/v1/dashboards/*", Methods::kGet, Access::kRead, Scope::kSession, Lane::kRead, Body::kNone, kEnvelope, &Load},
    {"/api/v1/dashboards/*", Methods::kPut, Access::kWrite, Scope::kSession, Lane::kWrite, Body::kJson, kEnvelope, &Save},
    {"/api/v1/dashboards/*", Methods::kDelete, Access::kWrite, Scope::kSession, Lane::kWrite, Body::kNone, kEnvelope, &Drop},
    {"/api/v1/dashboards/*/history", Methods::kGet, Access::kRead, Scope::kSession, Lane::kRead, Body::kNone, kEnvelope, &History},
    {"/metrics", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, nullptr, &Metrics},
    {"/dashboard", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr, &Dashboard},
    {"/dashboard/assets/*", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr, &Asset},
    {"/graph", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &Graph},
    {"/", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &ToDashboard},
};
// clang-format on

}  // namespace

void AddPageRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
