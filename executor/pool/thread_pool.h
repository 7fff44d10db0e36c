// ThreadPool: the work-stealing pool behind tidemark::Scheduler. Everything parallel inside a process runs here.
//
//   ThreadPool pool({.workers = 4});
//   pool.Submit(TaskKind::kFlush, [&] { journal.Fold(); });
//   pool.ParallelFor(TaskKind::kQuery, series.size(), [&](size_t i) { Fold(series[i]); });
//
// Each worker has one deque per kind: what it adds itself it takes back last in, first out, and others steal the
// oldest. What comes from outside goes through one bounded queue per kind, first in, first out. A worker takes work of
// a more urgent kind first; every kStarvationPeriod-th time it looks from the other end, so that every kind moves.
// Running work is never interrupted, so kBackground may hold only some of the workers.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "executor/pool/pool_stats.h"
#include "executor/pool/work_item.h"
#include "storage/base/clock.h"
#include "storage/base/scheduler.h"

namespace tidemark::executor {

struct PoolOptions {
  // Threads; 0 means as many as the process may use at once (its CPU affinity).
  size_t workers = 0;
  // Tasks of one kind that wait outside the workers' own deques before Submit blocks. At least 1. A waiting task costs
  // about 100 bytes.
  size_t queue_capacity = 4096;
  // Workers that may run kBackground at once; 0 means all but one (and one when there is only one), so that a long
  // compaction never holds up a query.
  size_t background_workers = 0;
  // Measures wait and run times.
  const Clock* clock = &SystemClock::Get();
};

// When a task need not be run any more. Looked at when its turn comes; what runs is not interrupted.
struct TaskLimits {
  std::stop_token stop{};
  int64_t deadline_ns = std::numeric_limits<int64_t>::max();  // ThreadPool::NowNs
};

// Thread-safe, but for construction and destruction. Work must not outlive what it refers to: Stop (or the
// destructor) returns only when all accepted work has run.
class ThreadPool final : public Scheduler {
 public:
  explicit ThreadPool(const PoolOptions& options = {});
  // Stops. Not on a worker.
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // After Stop has begun, the caller runs what it submits from outside.
  void Submit(TaskKind kind, Task task) override;
  // As Submit. When the limits say so, `given_up` is called instead of the task, on the thread that would have run it;
  // it may be empty.
  enum class GivenUp { kCancelled, kExpired };
  using OnGivenUp = std::move_only_function<void(GivenUp)>;
  void SubmitWithLimits(TaskKind kind, Task task, TaskLimits limits, OnGivenUp given_up = {});

  // Never waits and never runs the task itself: false, with `task` as it was, when the queue is full or the pool stops.
  bool TrySubmit(TaskKind kind, Task& task);

  // Takes up to concurrency() threads. A caller that waits helps with loops that its own iterations have started, and
  // with nothing else, so it may hold locks that other work wants.
  void ParallelFor(TaskKind kind, size_t count, const std::function<void(size_t)>& body) override;
  [[nodiscard]] size_t concurrency() const override;

  // Runs everything that was submitted, and what that submits in turn, then ends the workers. May be called again.
  // Not on a worker.
  void Stop();

  // The pool's clock.
  [[nodiscard]] int64_t NowNs() const;

  // A snapshot; the figures are read one after another while work goes on.
  [[nodiscard]] PoolStats stats() const;

  static constexpr uint32_t kStarvationPeriod = 61;

 private:
  friend class TaskGroup;
  // Queues a task of a group, which is counted and not timed; see TaskGroup::Run.
  void AddGroupItem(WorkItem* item);
  // What happens to an item for which the own deque of a worker has no room.
  enum class FullDeque : uint8_t { kTryInbox, kRunHere };
  void Enqueue(WorkItem* item, FullDeque full);
  // Runs a task of some group of this kind, if the calling thread is a worker of this pool and finds one.
  bool RunGroupItem(TaskKind kind);

  struct Worker;
  struct Shared;

  void WorkerMain(Worker& worker);

  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace tidemark::executor
