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

Response Refuse(int status, std::string_view text) { return InfluxError(status, text); }

Response Query(const Services& services, Request& request) { return services.influx->Query(request); }

Response RefuseV2(int status, std::string_view text) { return InfluxV2Error(status, text); }

// Statements that change something come with POST only, so that no link or image can send them. Which right a statement
// needs, and to what, is known when it has been parsed; which bucket an id means, when it has been looked for.
constexpr RouteRow kRows[] = {
    {"/query", Methods::kGet, Access::kAny, Scope::kHandler, Lane::kRead, Body::kNone, &Refuse, &Query},
    {"/query", Methods::kPost, Access::kAny, Scope::kHandler, Lane::kRead, Body::kForm, &Refuse, &Query},
    {"/api/v2/orgs", Methods::kGet, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Orgs(r); }},
    {"/api/v2/orgs/*", Methods::kGet, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Org(r.captures[0]); }},
    {"/api/v2/buckets", Methods::kGet, Access::kAny, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->List(r); }},
    {"/api/v2/buckets", Methods::kPost, Access::kWrite, Scope::kHandler, Lane::kRead, Body::kJson, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Create(r); }},
    {"/api/v2/buckets/*", Methods::kGet, Access::kAny, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Get(r, r.captures[0]); }},
    {"/api/v2/buckets/*", Methods::kPatch, Access::kAdmin, Scope::kHandler, Lane::kRead, Body::kJson, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Change(r, r.captures[0]); }},
    {"/api/v2/buckets/*", Methods::kDelete, Access::kAdmin, Scope::kHandler, Lane::kRead, Body::kNone, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Remove(r, r.captures[0]); }},
    {"/api/v2/delete", Methods::kPost, Access::kAdmin, Scope::kHandler, Lane::kRead, Body::kJson, &RefuseV2,
     [](const Services& s, Request& r) { return s.buckets->Delete(r); }},
    {"/api/v2/me", Methods::kGet, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, &RefuseV2,
     [](const Services&, Request& r) { return WhoAsks(r); }},
    // Known, and not served: the answer says what is.
    {"/api/v2/query", Methods::kPost, Access::kAny, Scope::kSession, Lane::kService, Body::kJson, &RefuseV2,
     [](const Services&, Request&) { return RefuseFlux(); }},
    {"/api/v2/query/*", Methods::kPost, Access::kAny, Scope::kSession, Lane::kService, Body::kJson, &RefuseV2,
     [](const Services&, Request&) { return RefuseFlux(); }},
    {"/api/v2/query/*", Methods::kGet, Access::kAny, Scope::kSession, Lane::kService, Body::kNone, &RefuseV2,
     [](const Services&, Request&) { return RefuseFlux(); }},
};

}  // namespace

void AddInfluxRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
