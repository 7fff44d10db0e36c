#include <string>

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

constexpr RouteRow kRows[] = {
    {"/metrics", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, nullptr, &Metrics},
    {"/dashboard", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr, &Dashboard},
    {"/dashboard/assets/*", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr,
     &Asset},
    {"/", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &ToDashboard},
};

}  // namespace

void AddPageRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
