#include "storage/database/retention_plan.h"

#include <algorithm>
#include <limits>
#include <set>

#include "storage/partition/partition_bounds.h"

namespace tidemark::storage::database {
namespace {

struct Partition {
  uint64_t bytes = 0;
  uint64_t tier_bytes = 0;  // of tiers that are kept
  bool reduced = false;
  bool outlived = false;  // by one of its tiers, at least
  bool fewer = false;     // reduced, and has tiers that are not kept any more
};

std::set<int64_t> WidthsOf(const std::vector<RollupTier>& tiers) {
  std::set<int64_t> out;
  for (const RollupTier& tier : tiers) out.insert(tier.width_ns);
  return out;
}

// Looks at the directory of `epoch`; one that is damaged counts as if nothing of it could be kept apart.
void Weigh(const partition::Epoch& epoch, const std::set<int64_t>& living, Partition* out) {
  const auto directory = epoch.Directory();
  if (!directory.ok()) return;
  const std::vector<int64_t>& widths = (*directory)->tier_widths_ns();
  for (const partition::PageInfo& page : (*directory)->pages()) {
    const uint8_t tier = rocks::TierOfPage(page.tier);
    if (tier != rocks::kRawTier && tier <= widths.size() && living.contains(widths[tier - 1U]))
      out->tier_bytes += page.bytes;
  }
  if (!epoch.record().tiers_only) return;
  out->fewer |= std::any_of(widths.begin(), widths.end(), [&](int64_t width) { return !living.contains(width); });
}

}  // namespace

int64_t OldestKept(int64_t now_ns, int64_t keep_ns) {
  int64_t oldest_ns = 0;
  if (keep_ns == 0 || __builtin_sub_overflow(now_ns, keep_ns, &oldest_ns)) return std::numeric_limits<int64_t>::min();
  return oldest_ns;
}

int64_t OldestSeen(const DatabaseOptions& options, int64_t now_ns) {
  int64_t seen_ns = OldestKept(now_ns, options.retention_ns);
  if (seen_ns == std::numeric_limits<int64_t>::min()) return seen_ns;
  constexpr int64_t kSecond = 1'000'000'000;
  const auto floor_to = [](int64_t time_ns, int64_t width_ns) {
    return time_ns - (time_ns % width_ns + width_ns) % width_ns;
  };
  seen_ns = floor_to(seen_ns, kSecond);
  for (const RollupTier& tier : options.tiers) {
    if (tier.keep_ns == 0 || tier.keep_ns > options.retention_ns) return std::numeric_limits<int64_t>::min();
    seen_ns = floor_to(seen_ns, tier.width_ns);
  }
  return seen_ns;
}

int64_t PartitionLength(const DatabaseOptions& options) {
  const bool outlived = std::ranges::any_of(
      options.tiers, [&](const RollupTier& tier) { return tier.keep_ns == 0 || tier.keep_ns > options.retention_ns; });
  if (options.retention_ns == 0 || options.retention_ns >= options.partition_ns || outlived)
    return options.partition_ns;
  return std::min(options.partition_ns, std::max(kNsPerHour, options.retention_ns / 4));
}

std::vector<RollupTier> LivingTiers(const DatabaseOptions& options, const PartitionId& partition, int64_t now_ns) {
  std::vector<RollupTier> out;
  for (const RollupTier& tier : options.tiers) {
    if (EndNs(partition) >= OldestKept(now_ns, tier.keep_ns)) out.push_back(tier);
  }
  return out;
}

std::vector<PartitionId> PiecesOf(const PartitionId& partition, const DatabaseOptions& options, int64_t now_ns) {
  // An eighth each: rows of a partition that is 64 times as long are written twice more, and not with each day that
  // goes.
  constexpr int64_t kPieces = 8;
  const int64_t base_ns = PartitionLength(options);
  const int64_t bases = std::max<int64_t>(1, (partition.second / kPieces + base_ns - 1) / base_ns);
  const int64_t oldest_ns = OldestKept(now_ns, options.retention_ns);
  std::vector<PartitionId> out;
  for (int64_t at = partition.first; at <= EndNs(partition);) {
    const partition::PartitionBounds bounds = partition::PartitionOf(at, bases * base_ns);
    const int64_t end_ns = std::min(bounds.end_ns, EndNs(partition));
    const PartitionId piece{at, end_ns - at + 1};
    if (end_ns >= oldest_ns || !LivingTiers(options, piece, now_ns).empty()) out.push_back(piece);
    if (end_ns == EndNs(partition)) break;
    at = end_ns + 1;
  }
  return out;
}

bool HasTiers(const partition::Epoch& epoch, const std::vector<RollupTier>& tiers) {
  if (tiers.empty()) return true;
  const auto directory = epoch.Directory();
  if (!directory.ok()) return true;
  const std::vector<int64_t>& widths = (*directory)->tier_widths_ns();
  return std::all_of(tiers.begin(), tiers.end(), [&](const RollupTier& tier) {
    return std::binary_search(widths.begin(), widths.end(), tier.width_ns);
  });
}

RetentionPlan PlanPartitions(const DatabaseState& state, const DatabaseOptions& options, int64_t now_ns) {
  std::map<PartitionId, Partition> all;  // ascending in time: partitions do not overlap
  uint64_t bytes = 0;
  const int64_t oldest_ns = OldestKept(now_ns, options.retention_ns);
  for (const auto& epoch : state.epochs) {
    const meta::EpochRecord& record = epoch->record();
    Partition& partition = all[{record.partition_start_ns, record.partition_ns}];
    partition.bytes += record.bytes;
    partition.reduced |= record.tiers_only;
    bytes += record.bytes;
  }
  for (const auto& slab : state.slabs) all.try_emplace({slab->partition_start_ns(), slab->partition_ns()});
  RetentionPlan plan;
  if (all.empty()) return plan;
  const PartitionId newest = all.rbegin()->first;
  const auto over = [&] { return options.max_bytes != 0 && bytes > options.max_bytes; };
  // What is not split, because it is damaged, goes when all of it is too much.
  const int64_t length_ns = PartitionLength(options);
  const auto heavy = [&](const PartitionId& id, const Partition& partition) {
    if (!over() || id == newest) return false;
    return id.second <= length_ns || bytes - options.max_bytes >= partition.bytes;
  };
  const auto splits = [&](const PartitionId& id) {
    if (id.second <= length_ns) return false;
    return (over() && id != newest) || id.first + (length_ns - 1) < oldest_ns;
  };
  const auto weigh = [&](const PartitionId& id, Partition* partition) {
    const std::vector<RollupTier> living = LivingTiers(options, id, now_ns);
    partition->outlived = !living.empty();
    const std::set<int64_t> widths = WidthsOf(living);
    for (const auto& epoch : state.epochs) {
      if (PartitionId{epoch->record().partition_start_ns, epoch->record().partition_ns} == id) {
        Weigh(*epoch, widths, partition);
      }
    }
  };
  for (auto& [id, partition] : all) {
    const bool old = EndNs(id) < oldest_ns;
    if (!partition.reduced && !old && !heavy(id, partition)) {
      if (splits(id)) plan.split.insert(id);
      break;
    }
    weigh(id, &partition);
    if (!partition.outlived) {
      plan.drop.emplace(id, partition.bytes);
      bytes -= partition.bytes;
    } else if (!partition.reduced || partition.fewer) {
      const uint64_t freed = partition.bytes - std::min(partition.bytes, partition.tier_bytes);
      plan.reduce.emplace(id, freed);
      bytes -= freed;
    }
  }
  // Tiers of what is reduced go when there is nothing else.
  for (auto& [id, partition] : all) {
    if (!over() || !partition.reduced || id == newest) break;
    if (plan.drop.contains(id)) continue;
    const auto reduced = plan.reduce.find(id);
    const uint64_t left = partition.bytes - (reduced == plan.reduce.end() ? 0 : reduced->second);
    plan.drop.emplace(id, partition.bytes);
    if (reduced != plan.reduce.end()) plan.reduce.erase(reduced);
    bytes -= left;
  }
  return plan;
}

}  // namespace tidemark::storage::database
