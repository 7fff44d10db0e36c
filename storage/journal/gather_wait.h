// GatherWait: whether whoever is about to sync waits a moment for others, so that they share the sync.
//
// Writers that wait for their answer before they write again fall into two groups by themselves: while one is synced
// the other gathers, and each sync carries half of them. Had the second group waited for the answers of the first to
// come back as new writes, one sync would have carried all. So as many are expected as were seen around the last sync,
// and waited for a part of what it took; when they do not come, as those who have long work between two writes do not,
// that is not tried again for a while.
//
// PostgreSQL waits so too (commit_delay, commit_siblings), for a fixed time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace tidemark::journal {

// Not thread-safe.
class GatherWait {
 public:
  // How many records are enough.
  [[nodiscard]] size_t expected() const { return expected_; }

  // A group of `records` was written, which took so long; so many more came meanwhile.
  void Written(size_t records, size_t came, int64_t took_ns) {
    expected_ = records + came;
    // Half of it is new, so that one slow sync makes nobody wait long.
    usual_ns_ = (usual_ns_ + took_ns) / 2;
  }

  // How long the writer of a group that has `records` so far should wait at most; 0: not at all.
  int64_t Begin(size_t records) {
    if (records >= expected_) return 0;
    if (pause_ > 0) {
      --pause_;
      return 0;
    }
    const int64_t wait_ns = std::min(usual_ns_ / kPart, kWaitNsMax);
    return wait_ns < kWaitNsMin ? 0 : wait_ns;
  }
  // It has waited, and has so many.
  void Ended(size_t records) {
    misses_ = records >= expected_ ? 0 : std::min(misses_ + 1, kMissesMax);
    // The first two in a row may be chance.
    pause_ = misses_ > 2 ? uint64_t{1} << misses_ : 0;
  }

 private:
  // Of a sync. What is gained is up to another one.
  static constexpr int64_t kPart = 3;
  static constexpr int64_t kWaitNsMax = 2'000'000;
  // Below this it takes longer to wake than to sync.
  static constexpr int64_t kWaitNsMin = 30'000;
  static constexpr int kMissesMax = 8;

  size_t expected_ = 0;
  int64_t usual_ns_ = 0;
  int misses_ = 0;
  uint64_t pause_ = 0;  // groups before it is tried again
};

}  // namespace tidemark::journal
