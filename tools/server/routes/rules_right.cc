#include "tools/server/routes/rules_right.h"

#include <fmt/core.h>

namespace tidemark::server {

bool MayUseRules(http::Access right, std::string_view rules_database, http::Request* request) {
  if (request->caller->May(right, rules_database)) return true;
  request->refusal = fmt::format("\"{}\" has no right to {} the database of the rules, \"{}\"", request->caller->name(),
                                 http::Name(right), rules_database);
  return false;
}

}  // namespace tidemark::server
