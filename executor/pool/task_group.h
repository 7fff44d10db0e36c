// TaskGroup: tasks that are waited for together, and may be given up together. Fork-join on a ThreadPool:
//
//   TaskGroup group(pool, TaskKind::kQuery);
//   group.Run([&] { left = Sum(first, middle); });
//   right = Sum(middle, last);
//   group.Wait();
//
// A thread that waits runs tasks meanwhile: those of this group, and, on a worker, those of other groups of the same
// kind on the same pool, since what it waits for may stand behind them. So do not hold a lock while waiting that a task
// of any group takes; ParallelFor has no such rule. Tasks that were submitted otherwise are never run there.
//
// A group may have a deadline, and may be cancelled: a task that has not begun by then is not run. Tasks that run are
// not interrupted; long ones ask stop_requested().
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "executor/pool/thread_pool.h"
#include "executor/pool/work_item.h"
#include "storage/base/mutex.h"

namespace tidemark::executor {

class TaskGroup {
 public:
  // Clock::SteadyNs of the pool's clock.
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();

  enum class End { kDone, kCancelled, kExpired };  // why tasks were not run, if any was not

  // The pool outlives the group.
  explicit TaskGroup(ThreadPool& pool, TaskKind kind, int64_t deadline_ns = kNoDeadline)
      : pool_(pool), kind_(kind), deadline_ns_(deadline_ns) {}
  // Waits.
  ~TaskGroup() { Wait(); }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Adds a task; `function` must not throw. From the thread that has made the group, or from one of its tasks. When the
  // queues are full, a worker runs it at once and another thread waits for room.
  template <typename Function>
  void Run(Function&& function) {
    pending_.fetch_add(1, std::memory_order_relaxed);
    pool_.AddGroupItem(new Item<std::decay_t<Function>>(*this, std::forward<Function>(function)));
  }

  // Returns when all tasks have been run or given up; then the group may be used again, unless it was cancelled or its
  // deadline has passed. The thread that has made the group only.
  End Wait();

  // Thread-safe. Tasks that have not begun will not.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // For tasks that run long: cancelled, or past the deadline.
  [[nodiscard]] bool stop_requested() const {
    return cancelled_.load(std::memory_order_relaxed) || (deadline_ns_ != kNoDeadline && pool_.NowNs() >= deadline_ns_);
  }
  // Tasks that were given up so far. Exact after Wait.
  [[nodiscard]] uint64_t given_up() const { return given_up_.load(std::memory_order_relaxed); }

 private:
  template <typename Function>
  struct Item final : WorkItem {
    template <typename F>
    Item(TaskGroup& of_group, F&& of_function)
        : WorkItem(of_group.kind_, /*in_group=*/true), group(of_group), function(std::forward<F>(of_function)) {}
    void Run() override {
      if (group.MayBegin()) function();
      TaskGroup& done_in = group;
      delete this;
      // Last: the group may be gone after it.
      done_in.Finish();
    }

    TaskGroup& group;
    Function function;
  };

  // Set in pending_ while the waiting thread sleeps.
  static constexpr uint64_t kSleeps = uint64_t{1} << 63;

  bool MayBegin() {
    if (!stop_requested()) [[likely]]
      return true;
    given_up_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  void Finish() {
    // Only when the waiting thread sleeps may it be touched once nothing is pending: it does not return before.
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == (kSleeps | 1)) WakeWaiter();
  }
  void WakeWaiter();
  // True when nothing is pending any more.
  bool SleepALittle();

  ThreadPool& pool_;
  const TaskKind kind_;
  const int64_t deadline_ns_;
  std::atomic<uint64_t> pending_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<uint64_t> given_up_{0};
  Mutex mutex_;
  CondVar changed_;
  bool woken_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::executor
