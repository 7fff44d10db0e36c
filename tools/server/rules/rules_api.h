// RulesApi: rule groups through HTTP, in the shapes of Grafana Mimir's ruler, which Grafana edits.
// Source: https://grafana.com/docs/mimir/latest/references/http-api/#ruler
#pragma once

#include <functional>
#include <set>
#include <string>

#include "tools/server/http/message.h"
#include "tools/server/rules/rule_book.h"

namespace tidemark::server {

// Thread-safe. The captures of a request are the namespace and the group.
class RulesApi {
 public:
  struct Hooks {
    // Puts what the book holds in force.
    std::function<void()> apply;
    // Whether rules come from a file of this name: then a namespace of that name may not be changed.
    std::function<bool(std::string_view name)> is_file;
  };
  RulesApi(RuleBook* book, Hooks hooks) : book_(book), hooks_(std::move(hooks)) {}

  // YAML: the groups of all namespaces, or of one, by namespace; an empty map where there are none.
  [[nodiscard]] http::Response List(const http::Request& request) const;
  // YAML of one group; 404.
  [[nodiscard]] http::Response Get(const http::Request& request) const;
  // 202 when the group in the body is in force; 400 with NAMESPACE:LINE:COLUMN: reason; 409 of a file's name.
  http::Response Put(const http::Request& request) const;
  // 202, 404.
  http::Response Delete(const http::Request& request) const;
  http::Response DeleteAll(const http::Request& request) const;

 private:
  http::Response Done(const Status& status) const;

  RuleBook* const book_;
  const Hooks hooks_;
};

}  // namespace tidemark::server
