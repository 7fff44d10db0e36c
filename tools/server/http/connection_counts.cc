#include "tools/server/http/connection_counts.h"

#include <fmt/core.h>

#include <algorithm>

namespace tidemark::http {

ConnectionCounts::ConnectionCounts(size_t all_max, size_t per_address_max)
    : all_max_(all_max), per_address_max_(per_address_max != 0 ? per_address_max : std::max<size_t>(all_max / 2, 1)) {}

Result<ConnectionCounts::Place> ConnectionCounts::Enter(const std::string& address) {
  const auto refuse = [](std::string message) { return MakeError(ErrorCode::kResourceExhausted, std::move(message)); };
  MutexLock lock(mutex_);
  if (all_ >= all_max_) {
    return refuse(fmt::format("{} connections are open, which is the limit (http.connections_max)", all_max_));
  }
  const auto [found, added] = by_address_.try_emplace(address, 0);
  if (found->second >= per_address_max_) {
    return refuse(
        fmt::format("{} connections from {} are open, which is the limit for one address "
                    "(http.connections_per_address_max); keep connections alive and use them again",
                    per_address_max_, address));
  }
  ++found->second;
  ++all_;
  return Place(nullptr, [this, address](const void*) { Leave(address); });
}

void ConnectionCounts::Leave(const std::string& address) {
  MutexLock lock(mutex_);
  --all_;
  const auto found = by_address_.find(address);
  if (--found->second == 0) by_address_.erase(found);
}

}  // namespace tidemark::http
