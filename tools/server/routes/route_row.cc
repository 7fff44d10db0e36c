#include "tools/server/routes/route_row.h"

#include <string>

namespace tidemark::server {

void SetBody(Body body, http::Route* route) {
  route->form = body == Body::kForm;
  route->own_coding = body == Body::kMessage;
  route->body_bytes_max = body == Body::kNone ? 0 : kFormBytesMax;
}

void AddRows(std::span<const RouteRow> rows, const std::shared_ptr<const Services>& services,
             std::vector<http::Route>* routes) {
  for (const RouteRow& row : rows) {
    http::Route& route = routes->emplace_back();
    route.access = row.right;
    route.lane = row.lane;
    route.pattern = std::string(row.pattern);
    if (row.methods != Methods::kPost) route.methods.push_back(http::Method::kGet);
    if (row.methods != Methods::kGet) route.methods.push_back(http::Method::kPost);
    SetBody(row.body, &route);
    if (row.refuse != nullptr) route.refuse = row.refuse;
    route.handler = [services, handler = row.handler](http::Request& request) { return handler(*services, request); };
  }
}

}  // namespace tidemark::server
