#include "tools/server/routes/routes.h"

#include <memory>

#include "tools/server/routes/areas.h"

namespace tidemark::server {

std::vector<http::Route> MakeRoutes(const Services& services) {
  const auto shared = std::make_shared<const Services>(services);
  std::vector<http::Route> routes;
  for (const AddArea add : {&AddWriteRoutes, &AddHealthRoutes, &AddQueryRoutes, &AddInfluxRoutes, &AddAdminRoutes,
                            &AddAccessRoutes, &AddPageRoutes}) {
    add(shared, &routes);
  }
  return routes;
}

}  // namespace tidemark::server
