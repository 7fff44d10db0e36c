// WorkerSet: a bounded number of threads with a bounded queue, for requests that may block: a write waits for the
// disk, a query may run long. Not the pool of executor/pool: its workers must not sit and wait.
//
// A task goes to the thread that became idle last, whose caches are warm. A set may have more threads than it always
// keeps: one is made when a task finds none idle, and ends when it has been idle for a while.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "tools/server/http/source_queue.h"

namespace tidemark::http {

// Thread-safe.
class WorkerSet {
 public:
  using Task = std::move_only_function<void()>;

  // Where its tasks stand when others want the core.
  enum class Urgency : uint8_t {
    kUsual,
    kBackground,  // storage/base/background.h
  };

  struct Threads {
    size_t kept = 1;  // at least 1
    size_t most = 0;  // 0: as many as are kept
  };

  // `name` shows in thread lists (15 bytes at most). At most `queue_max` tasks wait.
  WorkerSet(std::string name, Threads threads, size_t queue_max, Urgency urgency = Urgency::kUsual);
  WorkerSet(std::string name, size_t threads, size_t queue_max, Urgency urgency = Urgency::kUsual)
      : WorkerSet(std::move(name), Threads{.kept = threads}, queue_max, urgency) {}
  ~WorkerSet() { Stop(); }
  WorkerSet(const WorkerSet&) = delete;
  WorkerSet& operator=(const WorkerSet&) = delete;

  // false: the queue is full, or holds of this source what it may (see SourceQueue), or the set is stopping; `task` was
  // not taken. Tasks must not throw. Those that wait go in turns of their sources; "": of none.
  bool TrySubmit(Task task, std::string_view source = {});
  // As TrySubmit, but also false when no thread is free to start it at once.
  bool TrySubmitNow(Task task);

  // Keeps one of the threads that wait now for SubmitReserved. false: none is left. The calling thread must not wait
  // for the set before it submits or cancels.
  bool TryReserve();
  // Goes to a thread at once. Dropped when the set is stopping.
  void SubmitReserved(Task task);
  void CancelReservation();

  // Takes no more tasks, runs what is queued, then joins. Idempotent.
  void Stop();

  // Tasks that wait.
  [[nodiscard]] size_t queued() const;
  // Threads that wait.
  [[nodiscard]] size_t idle() const;
  [[nodiscard]] size_t threads() const;

 private:
  // A thread that waits, and what it is given.
  struct Idle {
    CondVar wake;
    Task task;
  };

  // How long a thread beyond those that are kept waits for work.
  static constexpr std::chrono::seconds kIdleTime{10};

  bool SubmitLocked(Task task, std::string_view source) TM_REQUIRES(mutex_);
  void AddThreadLocked() TM_REQUIRES(mutex_);
  // Waits until it has a task, the set stops, or it is a thread too many.
  void AwaitTask(Idle* self) TM_REQUIRES(mutex_);
  void WakeLocked(Task task) TM_REQUIRES(mutex_);
  void Work(uint64_t id);
  // The next task of this thread, waiting for one; empty when the set stops. `first`: it has not asked before.
  Task Next(bool first);

  const std::string name_;
  const size_t kept_;
  const size_t most_;
  const size_t queue_max_;
  const Urgency urgency_;
  mutable Mutex mutex_;
  std::vector<Idle*> idle_ TM_GUARDED_BY(mutex_);  // the last is the one that waits for the shortest time
  size_t reserved_ TM_GUARDED_BY(mutex_) = 0;      // of idle_; at most its size, but while the set stops
  // Threads that have not asked for their first task.
  size_t starting_ TM_GUARDED_BY(mutex_) = 0;
  SourceQueue<Task> queue_ TM_GUARDED_BY(mutex_);
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::map<uint64_t, std::jthread> threads_ TM_GUARDED_BY(mutex_);  // by the number of their making
  uint64_t made_ TM_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> ended_ TM_GUARDED_BY(mutex_);  // that are to be joined
};

}  // namespace tidemark::http
