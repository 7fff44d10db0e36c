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
    route.scope = row.scope;
    route.lane = row.lane;
    route.pattern = std::string(row.pattern);
    const bool both = row.methods == Methods::kGetPost;
    if (both || row.methods == Methods::kGet) route.methods.push_back(http::Method::kGet);
    if (both || row.methods == Methods::kPost) route.methods.push_back(http::Method::kPost);
    if (row.methods == Methods::kPut) route.methods.push_back(http::Method::kPut);
    if (row.methods == Methods::kPatch) route.methods.push_back(http::Method::kPatch);
    if (row.methods == Methods::kDelete) route.methods.push_back(http::Method::kDelete);
    SetBody(row.body, &route);
    if (row.refuse != nullptr) route.refuse = row.refuse;
    route.handler = [services, handler = row.handler](http::Request& request) { return handler(*services, request); };
  }
}

}  // namespace tidemark::server
