#include <limits>
#include <string>

#include "tools/server/routes/areas.h"

namespace tidemark::server {

void AddWriteRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  for (const WriteEndpoint& endpoint : WriteEndpoints()) {
    http::Route& route = routes->emplace_back();
    route.access = http::Access::kWrite;
    route.scope = http::Scope::kHandler;
    route.lane = http::Lane::kWrite;
    route.methods = {endpoint.method};
    route.pattern = std::string(endpoint.path);
    // As much as the server takes.
    route.body_bytes_max = std::numeric_limits<size_t>::max();
    route.own_coding = endpoint.check_media != nullptr;
    if (endpoint.refuse_unread != nullptr) route.refuse = endpoint.refuse_unread;
    route.handler = [writes = services->writes, &endpoint](http::Request& request) {
      return writes->Take(endpoint, request);
    };
    route.defer = [writes = services->writes, &endpoint](http::Request& request, http::Answerer* answer) {
      return writes->Defer(endpoint, request, answer);
    };
  }
}

}  // namespace tidemark::server
