#include "storage/database/merge_plan.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "storage/database/retention_plan.h"

namespace tidemark::storage::database {
namespace {

constexpr int64_t kFactors[] = {64, 8};  // the longest first
constexpr int64_t kShareOfKeep = 8;
constexpr uint64_t kShareOfBytes = 16;
// With less than this share of max_bytes nothing goes soon for being too much.
constexpr double kNearMaxBytes = 0.75;

// The longest partition that retentions let be of raw rows, or of what has been reduced.
int64_t LongestOf(const DatabaseOptions& options, int64_t longest_ns, bool reduced) {
  const auto bound = [&](int64_t keep_ns) {
    if (keep_ns != 0) longest_ns = std::min(longest_ns, keep_ns / kShareOfKeep);
  };
  for (const RollupTier& tier : options.tiers) bound(tier.keep_ns);
  if (reduced) return longest_ns;
  bound(options.retention_ns);
  for (const SelectorRetention& selector : options.selectors) bound(selector.keep_ns);
  return longest_ns;
}

class MergePlanner {
 public:
  MergePlanner(const DatabaseOptions& options, const MergeLimits& limits,
               const std::function<uint64_t(const PartitionId&)>& rows_per_series, PartitionId goes_next)
      : options_(options), limits_(limits), rows_per_series_(rows_per_series), goes_next_(goes_next) {}

  // Whether `parts`, which touch the partition `target`, may become it.
  [[nodiscard]] bool Fits(const PartitionId& target, const std::vector<const MergePart*>& parts) {
    if (parts.size() < 2 || !IsPast(target) || Goes(target)) return false;
    uint64_t bytes = 0;
    size_t epochs = 0;
    for (const MergePart* part : parts) {
      if (!part->ready || part->reduced != parts.front()->reduced) return false;
      if (part->id.first < target.first || EndNs(part->id) > EndNs(target)) return false;
      bytes += part->bytes;
      epochs += part->epochs;
    }
    if (epochs > kMaxMergeEpochs || target.second > LongestOf(options_, limits_.longest_ns, parts.front()->reduced))
      return false;
    if (options_.max_bytes != 0 && bytes > options_.max_bytes / kShareOfBytes) return false;
    return std::all_of(parts.begin(), parts.end(),
                       [&](const MergePart* part) { return RowsPerSeries(part->id) < kLongColumn; });
  }

 private:
  [[nodiscard]] bool IsPast(const PartitionId& target) const {
    int64_t ready_ns = 0;
    return !__builtin_add_overflow(EndNs(target), limits_.grace_ns, &ready_ns) && ready_ns < limits_.now_ns;
  }
  // Whether the retention takes the beginning of `target` already, or does so next: it would be split again.
  [[nodiscard]] bool Goes(const PartitionId& target) const {
    return target.first < OldestKept(limits_.now_ns, options_.retention_ns) ||
           (goes_next_.second != 0 && target.first <= goes_next_.first && goes_next_.first <= EndNs(target));
  }
  // Asked once of each.
  uint64_t RowsPerSeries(const PartitionId& id) {
    const auto [at, added] = known_.try_emplace(id, 0);
    if (added) at->second = rows_per_series_(id);
    return at->second;
  }

  const DatabaseOptions& options_;
  const MergeLimits& limits_;
  const std::function<uint64_t(const PartitionId&)>& rows_per_series_;
  const PartitionId goes_next_;  // for being too much; a length of 0: none
  std::map<PartitionId, uint64_t> known_;
};

// The partition that goes next when there is too much; a length of 0: there is room.
PartitionId GoesNext(const std::vector<MergePart>& parts, const DatabaseOptions& options) {
  uint64_t bytes = 0;
  for (const MergePart& part : parts) bytes += part.bytes;
  const bool near =
      options.max_bytes != 0 && static_cast<double>(bytes) > kNearMaxBytes * static_cast<double>(options.max_bytes);
  return near && !parts.empty() ? parts.front().id : PartitionId{};
}

}  // namespace

std::vector<Merge> PlanMerges(const std::vector<MergePart>& parts, const DatabaseOptions& options,
                              const MergeLimits& limits,
                              const std::function<uint64_t(const PartitionId&)>& rows_per_series) {
  std::vector<Merge> merges;
  MergePlanner planner(options, limits, rows_per_series, GoesNext(parts, options));
  std::vector<bool> merged(parts.size(), false);
  for (const int64_t factor : kFactors) {
    int64_t length_ns = 0;
    if (__builtin_mul_overflow(PartitionLength(options), factor, &length_ns) || length_ns > limits.longest_ns) continue;
    for (size_t begin = 0; begin < parts.size();) {
      const partition::PartitionBounds bounds = partition::PartitionOf(parts[begin].id.first, length_ns);
      size_t end = begin + 1;
      while (end < parts.size() && parts[end].id.first <= bounds.end_ns) ++end;
      std::vector<const MergePart*> inside;
      bool free = true;
      for (size_t i = begin; i < end; ++i) {
        inside.push_back(&parts[i]);
        free = free && !merged[i];
      }
      // One that begins before it and reaches into it; and bounds that int64 has cut short.
      free = free && (begin == 0 || EndNs(parts[begin - 1].id) < bounds.start_ns) && bounds.length_ns() == length_ns;
      const PartitionId target{bounds.start_ns, length_ns};
      if (free && planner.Fits(target, inside)) {
        Merge& merge = merges.emplace_back(Merge{target, {}});
        for (size_t i = begin; i < end; ++i) {
          merge.parts.push_back(parts[i].id);
          merged[i] = true;
        }
      }
      begin = end;
    }
  }
  std::sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) { return a.result < b.result; });
  return merges;
}

}  // namespace tidemark::storage::database
