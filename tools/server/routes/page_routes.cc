#include <fmt/core.h>

#include <string>

#include "storage/base/text/query_escape.h"
#include "tools/server/dashboard/dashboard_reply.h"
#include "tools/server/routes/areas.h"
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

constexpr RouteRow kRows[] = {
    {"/metrics", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, nullptr, &Metrics},
    {"/dashboard", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr, &Dashboard},
    {"/dashboard/assets/*", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr,
     &Asset},
    {"/graph", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &Graph},
    {"/", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &ToDashboard},
};

}  // namespace

void AddPageRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
