// Unfoldable: partitions of which something cannot be read, so that whoever folds passes over them and does the others.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <set>

#include "storage/base/mutex.h"

namespace tidemark::storage::database {

// Thread-safe. Nothing is taken under its lock. A partition is known by the number of its newest epoch: with a newer
// one it is tried again.
class Unfoldable {
 public:
  // What is damaged stays so; a disk that could not be read may be read later.
  static constexpr int64_t kForGood = std::numeric_limits<int64_t>::max();
  static constexpr int64_t kTryAgainAfterNs = 600'000'000'000;

  // `until_ns`: of the steady clock; not tried before.
  void Note(uint64_t newest_epoch, int64_t until_ns) {
    MutexLock lock(mutex_);
    until_ns_[newest_epoch] = until_ns;
  }
  [[nodiscard]] bool Holds(uint64_t newest_epoch, int64_t now_ns) const {
    MutexLock lock(mutex_);
    const auto found = until_ns_.find(newest_epoch);
    return found != until_ns_.end() && now_ns < found->second;
  }
  // It was folded after all.
  void Forget(uint64_t newest_epoch) {
    MutexLock lock(mutex_);
    until_ns_.erase(newest_epoch);
  }
  // How many of `newest_epochs`, one of each partition that there is, could not be read when they were last tried.
  [[nodiscard]] uint64_t CountOf(const std::set<uint64_t>& newest_epochs) const {
    MutexLock lock(mutex_);
    uint64_t count = 0;
    for (const auto& [epoch, _] : until_ns_) count += newest_epochs.contains(epoch) ? 1 : 0;
    return count;
  }

 private:
  mutable Mutex mutex_;
  std::map<uint64_t, int64_t> until_ns_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::database
