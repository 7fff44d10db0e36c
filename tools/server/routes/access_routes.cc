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

constexpr RouteRow::Refuse kEnvelope = &RefuseAsPrometheus;

// clang-format off
constexpr RouteRow kRows[] = {
    {"/api/v1/session", Methods::kPost, Access::kOpen, Scope::kSession, Lane::kService, Body::kForm, kEnvelope,
     [](const Services& s, Request& r) { return s.access->SignIn(r); }},
    {"/api/v1/session", Methods::kGet, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, kEnvelope,
     [](const Services& s, Request& r) { return s.access->WhoAmI(r); }},
    {"/api/v1/session", Methods::kDelete, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, kEnvelope,
     [](const Services& s, Request& r) { return s.access->SignOut(r); }},
};
// clang-format on

}  // namespace

void AddAccessRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
