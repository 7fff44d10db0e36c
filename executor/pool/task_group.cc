#include "executor/pool/task_group.h"

#include <sched.h>

#include <chrono>

namespace tidemark::executor {
namespace {

// Rounds without work before the waiting thread sleeps; the later ones let others run.
constexpr int kPausedRounds = 32;
constexpr int kRounds = 64;
constexpr int kPausesPerRound = 16;
// A sleeping thread looks for work again after this time: what it waits for may have forked.
constexpr std::chrono::microseconds kNap{200};

}  // namespace

TaskGroup::End TaskGroup::Wait() {
  int idle = 0;
  while (pending_.load(std::memory_order_acquire) != 0) {
    if (pool_.RunGroupItem(kind_)) {
      idle = 0;
    } else if (++idle <= kPausedRounds) {
#if defined(__x86_64__) || defined(__i386__)
      for (int i = 0; i < kPausesPerRound; ++i) __builtin_ia32_pause();
#endif
    } else if (idle <= kRounds) {
      sched_yield();
    } else if (SleepALittle()) {
      break;
    } else {
      idle = kPausedRounds;
    }
  }
  if (given_up() == 0) return End::kDone;
  return cancelled_.load(std::memory_order_relaxed) ? End::kCancelled : End::kExpired;
}

void TaskGroup::WakeWaiter() {
  const MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyOne();
}

bool TaskGroup::SleepALittle() {
  if (pending_.fetch_or(kSleeps, std::memory_order_acq_rel) == 0) {
    pending_.store(0, std::memory_order_relaxed);
    return true;
  }
  const MutexLock lock(mutex_);
  if (!woken_) changed_.WaitFor(mutex_, kNap);
  // Either the last task has seen that this thread sleeps, and then it has to be waited for, or it never will.
  if (!woken_ && pending_.fetch_and(~kSleeps, std::memory_order_acq_rel) != kSleeps) return false;
  while (!woken_) changed_.Wait(mutex_);
  woken_ = false;
  pending_.store(0, std::memory_order_relaxed);
  return true;
}

}  // namespace tidemark::executor
