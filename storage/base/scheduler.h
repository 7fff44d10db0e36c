// Scheduler: where parallel work runs. The work-stealing pool of executor/pool implements it; storage and query know
// only this interface.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace tidemark {

// What a task is for. Each kind has its own wait and run times in the metrics; lower numbers run first.
enum class TaskKind { kQuery = 0, kFlush = 1, kRule = 2, kBackground = 3 };

std::string_view Name(TaskKind kind);

// Thread-safe. Tasks must not throw.
class Scheduler {
 public:
  using Task = std::move_only_function<void()>;

  virtual ~Scheduler() = default;

  // Runs `task` on some worker, later. Blocks the caller while the (bounded) queue is full, except on a worker,
  // which runs the task itself instead.
  virtual void Submit(TaskKind kind, Task task) = 0;

  // Calls `body(i)` once for each i in [0, count), on the calling thread and on workers, and returns when all are
  // done. May be nested: a worker that waits helps. `body` must not block on another iteration.
  virtual void ParallelFor(TaskKind kind, size_t count, const std::function<void(size_t)>& body) = 0;

  // Number of threads that may run bodies at once, the caller included. At least 1.
  [[nodiscard]] virtual size_t concurrency() const = 0;
};

// Runs everything at once on the calling thread. For tests and for tools that need no threads.
class InlineScheduler final : public Scheduler {
 public:
  void Submit(TaskKind, Task task) override { task(); }
  void ParallelFor(TaskKind, size_t count, const std::function<void(size_t)>& body) override {
    for (size_t i = 0; i < count; ++i) body(i);
  }
  [[nodiscard]] size_t concurrency() const override { return 1; }
};

}  // namespace tidemark
