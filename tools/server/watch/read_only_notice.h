// ReadOnlyNotice: that the store refuses writes, as an alert that people are told of. No rule could say so: what it
// would read is refused with all other writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/notify/alert.h"

namespace tidemark::server {

// Not thread-safe.
class ReadOnlyNotice {
 public:
  static constexpr std::string_view kAlert = "TidemarkReadOnly";
  // How often it is said again while it goes on, and until when it is known each time.
  static constexpr int64_t kAgainMs = 60'000;
  static constexpr int64_t kKnownMs = 4 * kAgainMs;
  // Writes must have been taken for so long before it ends: a full disk lets one in now and then.
  static constexpr int64_t kQuietMs = 60'000;

  // `alert` was told of before a restart, and has not ended: it goes on, or ends after a quiet time from `now_ms`.
  void Restore(query::notify::Alert alert, int64_t now_ms);
  // What is to be told at `now_ms`; mostly nothing. `reason`: why writes are refused, "" while they are taken.
  std::vector<query::notify::Alert> At(const std::string& reason, int64_t now_ms);

 private:
  std::optional<query::notify::Alert> fires_;
  int64_t told_ms_ = 0;
  int64_t refused_ms_ = 0;
};

}  // namespace tidemark::server
