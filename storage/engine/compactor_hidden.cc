#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "storage/base/log.h"
#include "storage/database/partition_epochs.h"
#include "storage/database/retention_plan.h"
#include "storage/engine/compactor.h"
#include "storage/partition/mask_estimate.h"

namespace tidemark::storage {
namespace {

// A partition is rewritten for its hidden rows when at least a tenth of its bytes falls free.
constexpr uint64_t kWorthFolding = 10;
// Until then it is looked at again each time the retention has moved on by this share of its length.
constexpr int64_t kLooksPerPartition = 16;

// Whether `ns` is at most `by_ns` past `before_ns`, or not past it. Without a retention both are the first time there
// is.
bool IsSoonAfter(int64_t before_ns, int64_t ns, int64_t by_ns) {
  return before_ns >= ns ||
         static_cast<uint64_t>(ns) - static_cast<uint64_t>(before_ns) <= static_cast<uint64_t>(by_ns);
}

}  // namespace

Result<void> Compactor::FoldHidden() {
  ReaderLock open(parts_.open_mutex);
  // A compaction does this work already.
  if (parts_.closed || compacting_.load()) return {};
  {
    MutexLock compact(compact_mutex_);
    std::map<uint64_t, HiddenLook> looked;
    for (const DatabasePtr& database : parts_.databases.All()) {
      const retention::MaskList masks = database->HiddenRows(parts_.retention_clock.NowNs());
      if (masks.empty()) continue;
      int64_t until_ns = std::numeric_limits<int64_t>::min();
      for (const auto& mask : masks) {
        if (mask->number() == retention::Mask::kRetention) until_ns = std::max(until_ns, mask->range().last.ns);
      }
      for (const auto& [partition, epochs] : database::ByPartition(*database->state())) {
        const uint64_t newest = epochs.back()->record().epoch;
        if (!database::AnyMasked(epochs, masks) || unfoldable_.Holds(newest, parts_.clock.SteadyNs())) continue;
        const HiddenLook look{retention::HighestNumber(masks), std::min(until_ns, database::EndNs(partition))};
        const auto before = hidden_looks_.find(newest);
        if (before != hidden_looks_.end() && before->second.number == look.number &&
            IsSoonAfter(before->second.until_ns, look.until_ns, partition.second / kLooksPerPartition) &&
            (look.until_ns < database::EndNs(partition) || before->second.until_ns == look.until_ns)) {
          looked.insert(*before);
          continue;
        }
        looked.emplace(newest, look);
        partition::MaskedRows hidden;
        uint64_t bytes = 0;
        for (const auto& epoch : epochs) {
          bytes += epoch->record().bytes;
          partition::AddMaskedRows(*epoch, retention::SourceMasks::OfEpoch(masks, epoch->record()), &hidden);
        }
        if (hidden.rows == 0 || hidden.bytes * kWorthFolding < bytes) continue;
        CompactionProgress ignored;
        if (auto folded = FoldUnlessUnreadable(*database, epochs, FoldKind::kFold, &ignored); !folded.ok()) {
          return std::move(folded).error();
        }
      }
    }
    hidden_looks_ = std::move(looked);
  }
  return deleter_.DropSpentMasks();
}

}  // namespace tidemark::storage
