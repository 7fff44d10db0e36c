#include "tools/server/influx/influx_reply.h"
#include "tools/server/routes/areas.h"
#include "tools/server/routes/route_row.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Request;
using http::Response;
using http::Scope;

constexpr RouteRow kRows[] = {
    {"/ping", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services& s, Request& r) { return s.influx->Ping(r); }},
    {"/api/v2/ping", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services& s, Request& r) { return s.influx->Ping(r); }},
    // What 2.x clients ask before they begin: whether it is up, and whether somebody has to set it up first.
    {"/ready", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services& s, Request&) { return s.influx->Ready(); }},
    {"/api/v2/setup", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services&, Request&) -> Response { return http::JsonResponse(200, "{\"allowed\":false}\n"); }},
    // There are no users and no first token to hand out over the network: `tidemark admin token first` makes that.
    {"/api/v2/setup", Methods::kPost, Access::kOpen, Scope::kSession, Lane::kService, Body::kJson, nullptr,
     [](const Services&, Request&) { return InfluxV2Conflict("onboarding has already been completed"); }},
    {"/health", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kService, Body::kNone, nullptr,
     [](const Services& s, Request& r) { return s.influx->Health(r); }},
    {"/-/ready", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services&, Request&) -> Response { return http::TextResponse(200, "Tidemark is Ready.\n"); }},
    {"/-/healthy", Methods::kGet, Access::kOpen, Scope::kSession, Lane::kInline, Body::kNone, nullptr,
     [](const Services&, Request&) -> Response { return http::TextResponse(200, "Tidemark is Healthy.\n"); }},
};

}  // namespace

void AddHealthRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
