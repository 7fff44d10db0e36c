#include "storage/database/database_state.h"

#include <iterator>
#include <limits>
#include <set>

namespace tidemark::storage::database {

std::vector<partition::PartitionBounds> FitPartitions(const DatabaseState& state,
                                                      const std::vector<partition::PartitionBounds>& wanted) {
  std::set<partition::PartitionBounds> existing;
  for (const auto& epoch : state.epochs) {
    const meta::EpochRecord& record = epoch->record();
    existing.insert({record.partition_start_ns, record.partition_start_ns + (record.partition_ns - 1)});
  }
  for (const auto& slab : state.slabs) {
    existing.insert({slab->partition_start_ns(), slab->partition_start_ns() + (slab->partition_ns() - 1)});
  }
  std::set<partition::PartitionBounds> fitted;
  for (const partition::PartitionBounds& bounds : wanted) {
    // The first existing partition that ends at or after the start of this one.
    auto at = existing.upper_bound({bounds.start_ns, std::numeric_limits<int64_t>::max()});
    if (at != existing.begin() && std::prev(at)->end_ns >= bounds.start_ns) --at;
    int64_t free_from = bounds.start_ns;
    bool room = true;
    for (; at != existing.end() && at->start_ns <= bounds.end_ns; ++at) {
      if (at->start_ns > free_from) fitted.insert({free_from, at->start_ns - 1});
      fitted.insert(*at);
      room = at->end_ns < bounds.end_ns;
      if (!room) break;
      free_from = at->end_ns + 1;
    }
    if (room) fitted.insert({free_from, bounds.end_ns});
  }
  return {fitted.begin(), fitted.end()};
}

}  // namespace tidemark::storage::database
