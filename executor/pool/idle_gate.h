// IdleGate: where workers without work sleep, so that whoever adds work pays for a wake-up only when one is needed.
//
// A worker without work first searches for a while, then sleeps. While somebody searches, added work needs no wake-up:
// the searcher finds it, and when it does and was the last one searching, it wakes the next.
//
//   Adding:     publish the work (sequentially consistent); gate.Wake(n);
//   A worker:   gate.StartSearch(); look a few times;
//               found:     if (gate.EndSearch() && more work) gate.Wake(1);
//               not found: gate.EndSearch(); gate.Sleep([&] { return is there work? });
//
// No wake-up is lost: an adder that saw a searcher and did not wake anybody published its work before that searcher's
// EndSearch, and Sleep's last look comes after it. The orderings are sequentially consistent throughout.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/base/mutex.h"

namespace tidemark::executor {

class IdleGate {
 public:
  // Call after publishing work. Wakes up to `count` sleepers; when `count` is 1, none if somebody is searching.
  void Wake(uint32_t count) {
    if (count == 1 && searching_.load(std::memory_order_seq_cst) > 0) return;
    WakeSleepers(count);
  }

  // Wakes everybody, searching or not.
  void WakeAll() { WakeSleepers(UINT32_MAX); }

  void StartSearch() { searching_.fetch_add(1, std::memory_order_seq_cst); }
  // True when nobody searches any more.
  bool EndSearch() { return searching_.fetch_sub(1, std::memory_order_seq_cst) == 1; }

  // Sleeps until woken; returns at once when `has_work()`, which is asked after this thread counts as sleeping.
  template <typename HasWork>
  void Sleep(const HasWork& has_work) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    if (has_work()) {
      if (Withdraw()) return;
      // A waker has counted on this thread already: its token is on the way and has to be taken.
    }
    MutexLock lock(mutex_);
    while (tokens_ == 0) tokens_added_.Wait(mutex_);
    --tokens_;
  }

 private:
  // Takes one sleeper off the count; false when there is none.
  bool Withdraw() {
    uint32_t sleepers = sleepers_.load(std::memory_order_seq_cst);
    while (sleepers > 0) {
      if (sleepers_.compare_exchange_weak(sleepers, sleepers - 1, std::memory_order_seq_cst)) return true;
    }
    return false;
  }

  void WakeSleepers(uint32_t count) {
    uint32_t woken = 0;
    while (woken < count && Withdraw()) ++woken;
    if (woken == 0) return;
    {
      MutexLock lock(mutex_);
      tokens_ += woken;
    }
    if (woken == 1) {
      tokens_added_.NotifyOne();
    } else {
      tokens_added_.NotifyAll();
    }
  }

  alignas(64) std::atomic<uint32_t> searching_{0};
  // sleepers_ + tokens_ + wakers between the two = threads inside Sleep.
  std::atomic<uint32_t> sleepers_{0};
  Mutex mutex_;
  CondVar tokens_added_;
  uint32_t tokens_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::executor
