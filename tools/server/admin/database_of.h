// DatabaseOf: which database an act is about.
#pragma once

#include <string>
#include <string_view>

#include "storage/storage.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// That of the path (/db/NAME/...), else that of the parameter "db", else the default one.
inline std::string DatabaseOf(const http::Request& request) {
  if (!request.database.empty()) return request.database;
  const std::string_view named = request.params.Get("db");
  return std::string(named.empty() ? storage::kDefaultDatabase : named);
}

}  // namespace tidemark::server
