// Usage: what each token, and each database with quotas, has taken of the server: what it says as rows of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/monitor/alerting.h"

namespace tidemark::cli::monitor {

// Counts are since the start of the server.
struct Usage {
  std::string kind;  // "token", "database"
  std::string name;
  std::string quotas;  // "points/s=1000, queries=2"; "": none
  uint64_t points = 0;
  uint64_t bytes = 0;
  uint64_t new_series = 0;
  uint64_t queries = 0;
  uint64_t running_queries = 0;     // at this moment
  uint64_t query_memory_bytes = 0;  // at this moment
  uint64_t refused = 0;             // writes, rows and queries
};

// Of the reply of GET /api/v1/admin/usage. nullopt when it is none. What is not there counts as nothing.
std::optional<std::vector<Usage>> ReadUsage(std::string_view json);

Rows RowsOf(const std::vector<Usage>& usage);

}  // namespace tidemark::cli::monitor
