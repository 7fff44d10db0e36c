// RouteRow: a route as data. Every column must be given: a route without a thought about its right, its lane or its
// body does not compile.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tools/server/http/router.h"
#include "tools/server/routes/services.h"

namespace tidemark::server {

// What a request may bring, and so what it may cost before its handler begins.
enum class Body : uint8_t {
  kNone,
  kForm,     // kFormBytesMax of a form, whose fields become parameters
  kJson,     // kFormBytesMax of JSON
  kMessage,  // kFormBytesMax of the protocol's own, in its own content coding
};

// Bytes of a form with a query in it, and of a message.
inline constexpr size_t kFormBytesMax = size_t{1} << 20;

enum class Methods : uint8_t { kGet, kPost, kGetPost, kPut, kPatch, kDelete };

struct RouteRow {
  using Refuse = http::Response (*)(int status, std::string_view text);
  using Handler = http::Response (*)(const Services& services, http::Request& request);

  constexpr RouteRow(std::string_view a_pattern, Methods a_methods, http::Access a_right, http::Scope a_scope,
                     http::Lane a_lane, Body a_body, Refuse a_refuse, Handler a_handler)
      : pattern(a_pattern),
        methods(a_methods),
        right(a_right),
        scope(a_scope),
        lane(a_lane),
        body(a_body),
        refuse(a_refuse),
        handler(a_handler) {}

  std::string_view pattern;  // see http::Router
  Methods methods;
  http::Access right;
  http::Scope scope;  // what the right is about
  http::Lane lane;
  Body body;
  Refuse refuse;  // the words of the protocol; null: Go's plain text
  Handler handler;
};

// Appends a route for each row.
void AddRows(std::span<const RouteRow> rows, const std::shared_ptr<const Services>& services,
             std::vector<http::Route>* routes);

// Gives `route` the columns of a body.
void SetBody(Body body, http::Route* route);

}  // namespace tidemark::server
