#include <limits>
#include <string>

#include "storage/base/check.h"
#include "tools/admin/act_handlers.h"
#include "tools/admin/acts.h"
#include "tools/server/routes/areas.h"
#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/route_row.h"

namespace tidemark::server {
namespace {

http::Access AccessOf(admin::Right right) {
  switch (right) {
    case admin::Right::kRead: return http::Access::kRead;
    case admin::Right::kAdmin: return http::Access::kAdmin;
  }
  return http::Access::kAdmin;
}

// If it is this service that does the act.
template <typename Service>
void SetHandler(const Service* service, const admin::Act& act, http::Route* route) {
  const auto handle = admin::HandlerOf<Service>(act.name);
  if (handle == nullptr) return;
  route->handler = [service, handle](http::Request& request) { return (service->*handle)(request); };
}

}  // namespace

void AddAdminRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  const auto add = [&](const admin::Act& act, http::Method method) {
    http::Route& route = routes->emplace_back();
    route.access = AccessOf(act.right);
    route.scope = act.of_database ? http::Scope::kDatabase : http::Scope::kServer;
    route.lane = http::Lane::kRead;
    route.methods = {method};
    route.pattern = std::string(act.path);
    SetBody(Body::kForm, &route);
    if (act.takes_data) {
      route.form = false;
      route.lane = http::Lane::kWrite;
      route.body_bytes_max = std::numeric_limits<size_t>::max();
    }
    route.refuse = &RefuseAsPrometheus;
    SetHandler(services->admin, act, &route);
    SetHandler(services->access, act, &route);
    SetHandler(services->audit, act, &route);
    SetHandler(services->quotas, act, &route);
    SetHandler(services->backup, act, &route);
    SetHandler(services->jobs, act, &route);
    SetHandler(services->restart, act, &route);
    TM_CHECK(route.handler);
  };
  for (const admin::Act& act : admin::Acts()) {
    switch (act.method) {
      case admin::Method::kNone: break;
      case admin::Method::kGet: add(act, http::Method::kGet); break;
      case admin::Method::kPost: add(act, http::Method::kPost); break;
      case admin::Method::kPostOrPut:
        add(act, http::Method::kPost);
        add(act, http::Method::kPut);
        break;
    }
  }
}

}  // namespace tidemark::server
