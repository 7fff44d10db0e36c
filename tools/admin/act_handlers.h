// ActHandlers: which acts a service of the server does, and by which of its members. A row of acts.h names the act, a
// row of one service's handlers who does it.
#pragma once

#include <span>
#include <string_view>

namespace tidemark::http {
struct Request;
struct Response;
}  // namespace tidemark::http

namespace tidemark::admin {

template <typename Service>
struct ActHandler {
  std::string_view act;  // the name of its row in acts.h
  http::Response (Service::*handle)(http::Request& request) const;
};

template <typename Service>
using ActHandlers = std::span<const ActHandler<Service>>;

// The handler of an act; null where the service does not do it.
template <typename Service>
auto HandlerOf(std::string_view act) -> decltype(ActHandler<Service>::handle) {
  for (const ActHandler<Service>& row : Service::Handlers()) {
    if (row.act == act) return row.handle;
  }
  return nullptr;
}

}  // namespace tidemark::admin
