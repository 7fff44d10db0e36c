// QuotaLimits: how much a token, or a database, may take of the server. `points/s=100000`, `query_memory=256MiB`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::server::quota {

// 0 everywhere: no limit.
struct QuotaLimits {
  uint64_t points_per_s = 0;        // written
  uint64_t bytes_per_s = 0;         // of bodies of writes, as they were received
  uint64_t new_series_per_s = 0;    // that the database did not have before, and fields that a measurement did not have
  uint64_t series = 0;              // written to within the last hour or two
  uint64_t query_memory_bytes = 0;  // of all queries that run at once
  uint64_t queries = 0;             // that run at once
  friend bool operator==(const QuotaLimits&, const QuotaLimits&) = default;
  [[nodiscard]] bool none() const { return *this == QuotaLimits(); }
};

// A kind of limit, as a row.
struct QuotaKind {
  std::string_view name;    // as people write it: "points/s"
  std::string_view metric;  // in the names of /metrics: "points_per_second"
  uint64_t QuotaLimits::* value;
  bool bytes;  // printed and read with units
};
std::span<const QuotaKind> QuotaKinds();

// Puts "points/s=1000" into `limits`; 0 takes a limit away. kInvalidArgument names the kinds that there are.
Status ParseQuota(std::string_view text, QuotaLimits* limits);
// Those that are set, each as ParseQuota reads it.
std::vector<std::string> PrintQuotas(const QuotaLimits& limits);

}  // namespace tidemark::server::quota
