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

// Statements that change something come with POST only, so that no link or image can send them. Which right a statement
// needs, and to what, is known when it has been parsed.
constexpr RouteRow kRows[] = {
    {"/query", Methods::kGet, Access::kAny, Scope::kHandler, Lane::kRead, Body::kNone, &Refuse, &Query},
    {"/query", Methods::kPost, Access::kAny, Scope::kHandler, Lane::kRead, Body::kForm, &Refuse, &Query},
};

}  // namespace

void AddInfluxRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
