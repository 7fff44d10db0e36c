#include "tools/server/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace tidemark::server {
namespace {

// Journal, RocksDB's own log and MANIFEST, files that a checkpoint or a fold writes, listeners, event loops.
constexpr uint64_t kReserve = 256;
// Of a small limit the store gets a quarter of what is left: a table that is not open costs a read of its footer.
constexpr uint64_t kTablesShare = 4;
constexpr uint64_t kTablesMin = 64;
// With so many open it works well whatever it holds: the newest and those that are asked for.
constexpr uint64_t kTablesEnough = 512;
// RLIM_INFINITY, and more than anybody has.
constexpr uint64_t kLimitMax = 1 << 20;

}  // namespace

uint64_t RaiseOpenFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kReserve;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    // It may be refused where the hard limit is beyond what the kernel gives (fs.nr_open); then it stays.
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return std::min<uint64_t>(limit.rlim_cur, kLimitMax);
}

OpenFiles ShareOpenFiles(uint64_t limit, int tables_wanted, size_t connections_wanted) {
  const uint64_t left = limit > kReserve ? limit - kReserve : 0;
  const uint64_t share = std::max(left / kTablesShare, kTablesMin);
  uint64_t tables = std::min<uint64_t>(static_cast<uint64_t>(std::max(tables_wanted, 1)), share);
  if (connections_wanted != 0) {
    const uint64_t over = left > connections_wanted ? left - connections_wanted : 0;
    const uint64_t wanted = static_cast<uint64_t>(std::max(tables_wanted, 1));
    tables = std::clamp(over, std::min({wanted, share, kTablesEnough}), wanted);
  }
  const uint64_t for_connections = left > tables ? left - tables : 0;
  const uint64_t most = connections_wanted != 0 ? connections_wanted : for_connections;
  return {limit, static_cast<int>(tables), static_cast<size_t>(std::max<uint64_t>(std::min(for_connections, most), 1))};
}

}  // namespace tidemark::server
