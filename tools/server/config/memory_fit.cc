#include "tools/server/config/memory_fit.h"

#include <algorithm>

namespace tidemark::server {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

struct FitRow {
  std::string_view key;
  uint64_t* bytes;
  uint64_t percent;  // of the budget
  uint64_t least;    // below which it would not work
  bool zero_is_all;  // 0 stands for no limit
};

}  // namespace

std::vector<LoweredSetting> FitToMemory(uint64_t budget_bytes, Config* config) {
  Config& c = *config;
  // Names have 45 % (storage/base/memory/memory_class.h), and heads of one budget come with another one that waits and
  // four of slabs. All together is more than there is, since not all are at their limits at once; where they come near
  // it, new names and large requests are refused by what is measured.
  const FitRow rows[] = {
      {"storage.staged_bytes", &c.store.staged_bytes, 4, 4 * kMiB, false},
      {"storage.cache_bytes", &c.store.cache_bytes, 8, 8 * kMiB, false},
      {"query.cache_bytes", &c.api.cache_bytes, 4, 0, false},
      {"query.max_memory", &c.api.budget.max_bytes, 20, 16 * kMiB, true},
      {"query.total_memory", &c.api.total_memory_bytes, 20, 16 * kMiB, true},
      {"write.parse_memory", &c.parse_memory_bytes, 15, 16 * kMiB, false},
      {"http.decoded_bytes_max", &c.http.decode.decoded_bytes, 5, 16 * kMiB, false},
      {"http.body_memory", &c.http.body_memory_bytes, 10, 32 * kMiB, false},
      {"http.reply_memory", &c.http.reply_memory_bytes, 5, 8 * kMiB, false},
  };
  std::vector<LoweredSetting> lowered;
  for (const FitRow& row : rows) {
    const uint64_t most = std::max(budget_bytes / 100 * row.percent, row.least);
    const bool all = row.zero_is_all && *row.bytes == 0;
    if (!all && *row.bytes <= most) continue;
    lowered.push_back({row.key, *row.bytes, most});
    *row.bytes = most;
  }
  return lowered;
}

}  // namespace tidemark::server
