#include "executor/pool/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <string>

#include "executor/pool/idle_gate.h"
#include "executor/pool/inbox.h"
#include "executor/pool/parallel_loop.h"
#include "executor/pool/work_deque.h"
#include "executor/pool/work_item.h"
#include "storage/base/check.h"
#include "storage/base/usable_cpus.h"

namespace tidemark::executor {
namespace {

// Items of one kind that a worker keeps for itself; what it adds beyond goes to the inbox.
constexpr size_t kDequeCapacity = 1024;
// Tasks that a worker moves from the inbox at once, so that fine tasks do not pay for the inbox's mutex one by one.
constexpr size_t kTakeAtOnce = 16;
// Rounds of searching before a worker sleeps, the first ones with a pause between, the last ones with a yield. Together
// some 10 us: less than a sleep and a wake-up cost.
constexpr int kPausedRounds = 24;
constexpr int kYieldedRounds = 8;
constexpr int kPausesPerRound = 16;
// A loop is cut into at most this many runs of indices per thread: enough to even out bodies of unequal length, few
// enough that drawing one costs nothing.
constexpr size_t kRunsPerThread = 64;

// Adds to a counter that only one thread writes, without the price of a locked instruction.
void Add(std::atomic<uint64_t>& counter, uint64_t by) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

uint64_t Elapsed(int64_t from_ns, int64_t to_ns) {
  return to_ns > from_ns ? static_cast<uint64_t>(to_ns - from_ns) : 0;
}

struct KindCounters {
  std::atomic<uint64_t> submitted{0};
  std::atomic<uint64_t> finished{0};
  std::atomic<uint64_t> loops{0};
  std::atomic<uint64_t> invitations_taken{0};
  std::atomic<uint64_t> wait_ns{0};
  std::atomic<uint64_t> wait_max_ns{0};
  std::atomic<uint64_t> run_ns{0};
};

}  // namespace

struct ThreadPool::Shared {
  Shared(const PoolOptions& options, size_t workers)
      : worker_count(workers),
        background_limit(std::min(
            workers, options.background_workers > 0 ? options.background_workers : std::max<size_t>(1, workers - 1))),
        clock(*options.clock),
        inbox(std::max<size_t>(1, options.queue_capacity)) {}

  const size_t worker_count;
  const size_t background_limit;
  const Clock& clock;
  Inbox inbox;
  IdleGate gate;
  std::atomic<bool> stopping{false};
  std::atomic<bool> stopped{false};
  std::atomic<uint64_t> submit_waits{0};
  // Workers that run kBackground.
  alignas(64) std::atomic<size_t> background_running{0};
  // Tasks that were not run because of their limits.
  std::array<std::atomic<uint64_t>, kTaskKinds> given_up{};
  // What threads that are no workers do.
  std::array<KindCounters, kTaskKinds> outside;
};

struct ThreadPool::Worker {
  Worker(ThreadPool& of_pool, size_t at) : pool(of_pool), shared(*of_pool.shared_), index(at), random(at * 2 + 1) {}

  WorkItem* Find();
  WorkItem* FindOfKind(size_t kind, bool inbox_first);
  WorkItem* TakeFromInbox(size_t kind);
  WorkItem* StealFrom(size_t kind);
  // Work of the kind that this worker may take now.
  [[nodiscard]] bool HasWorkOf(size_t kind) const;
  [[nodiscard]] bool HasWork() const;
  WorkItem* Search();
  void RunItem(WorkItem* item);
  bool RunGroupItem(size_t kind);
  bool EnterBackground();
  void LeaveBackground();

  ThreadPool& pool;
  Shared& shared;
  const size_t index;
  uint64_t random;
  uint32_t finds = 0;
  // When the last item ended, if nothing but looking for the next one has happened since.
  int64_t last_end_ns = WorkItem::kNotTimed;
  std::array<WorkDeque<WorkItem, kDequeCapacity>, kTaskKinds> deques;

  // Written by this worker alone.
  std::array<KindCounters, kTaskKinds> counters;
  std::atomic<uint64_t> steals{0};
  std::atomic<uint64_t> sleeps{0};
  std::atomic<bool> busy{false};
  std::thread thread;

  // The worker that this thread is, of whichever pool.
  static thread_local Worker* current;
};

thread_local ThreadPool::Worker* ThreadPool::Worker::current = nullptr;

bool ThreadPool::Worker::RunGroupItem(size_t kind) {
  auto& deque = deques[kind];
  WorkItem* item = deque.Pop();
  if (item == nullptr) item = StealFrom(kind);
  if (item == nullptr) return false;
  if (!item->in_group) {
    // Not for a thread in the middle of something else. It lies on top of what this worker does next, and others may
    // steal it.
    TM_CHECK(deque.Push(item));
    shared.gate.Wake(1);
    return false;
  }
  const DetachedFromLoop detached;
  item->Run();
  counters[kind].finished.store(counters[kind].finished.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  return true;
}

bool ThreadPool::Worker::EnterBackground() {
  size_t running = shared.background_running.load(std::memory_order_seq_cst);
  while (running < shared.background_limit) {
    if (shared.background_running.compare_exchange_weak(running, running + 1, std::memory_order_seq_cst)) return true;
  }
  return false;
}

void ThreadPool::Worker::LeaveBackground() {
  // Workers may sleep beside waiting background work when the limit is reached; this one may now do something else.
  if (shared.background_running.fetch_sub(1, std::memory_order_seq_cst) == shared.background_limit && HasWork()) {
    shared.gate.Wake(1);
  }
}

WorkItem* ThreadPool::Worker::TakeFromInbox(size_t kind) {
  if (shared.inbox.empty(static_cast<TaskKind>(kind))) return nullptr;
  std::array<WorkItem*, kTakeAtOnce> taken;
  // More than one only into an empty deque: there is room, and their order stays that of arrival.
  const size_t count =
      shared.inbox.Take(static_cast<TaskKind>(kind), std::span(taken).first(deques[kind].empty() ? kTakeAtOnce : 1));
  if (count == 0) return nullptr;
  // Pushed youngest first, so that this worker, last in, first out, takes the oldest first.
  for (size_t i = count; i-- > 1;) TM_CHECK(deques[kind].Push(taken[i]));
  if (count > 1) shared.gate.Wake(1);
  return taken[0];
}

WorkItem* ThreadPool::Worker::StealFrom(size_t kind) {
  const size_t count = shared.worker_count;
  if (count == 1) return nullptr;
  random ^= random << 13;
  random ^= random >> 7;
  random ^= random << 17;
  for (size_t i = 0, at = static_cast<size_t>(random % count); i < count; ++i, at = at + 1 == count ? 0 : at + 1) {
    if (at == index) continue;
    auto& deque = pool.workers_[at]->deques[kind];
    // A steal fails when somebody else was faster; try again as long as there is something.
    while (!deque.empty()) {
      if (WorkItem* const item = deque.Steal(); item != nullptr) {
        Add(steals, 1);
        return item;
      }
    }
  }
  return nullptr;
}

WorkItem* ThreadPool::Worker::FindOfKind(size_t kind, bool inbox_first) {
  const bool background = static_cast<TaskKind>(kind) == TaskKind::kBackground;
  if (background && (!HasWorkOf(kind) || !EnterBackground())) return nullptr;
  WorkItem* item = inbox_first ? TakeFromInbox(kind) : deques[kind].Pop();
  if (item == nullptr) item = inbox_first ? deques[kind].Pop() : TakeFromInbox(kind);
  if (item == nullptr) item = StealFrom(kind);
  if (background && item == nullptr) LeaveBackground();
  return item;
}

WorkItem* ThreadPool::Worker::Find() {
  const bool other_end = ++finds % kStarvationPeriod == 0;
  for (size_t i = 0; i < kTaskKinds; ++i) {
    const size_t kind = other_end ? kTaskKinds - 1 - i : i;
    if (WorkItem* const item = FindOfKind(kind, other_end); item != nullptr) return item;
  }
  return nullptr;
}

bool ThreadPool::Worker::HasWorkOf(size_t kind) const {
  if (static_cast<TaskKind>(kind) == TaskKind::kBackground &&
      shared.background_running.load(std::memory_order_seq_cst) >= shared.background_limit) {
    return false;
  }
  return !shared.inbox.empty(static_cast<TaskKind>(kind)) ||
         std::any_of(pool.workers_.begin(), pool.workers_.end(),
                     [&](const auto& worker) { return !worker->deques[kind].empty(); });
}

bool ThreadPool::Worker::HasWork() const {
  for (size_t kind = 0; kind < kTaskKinds; ++kind) {
    if (HasWorkOf(kind)) return true;
  }
  return false;
}

WorkItem* ThreadPool::Worker::Search() {
  shared.gate.StartSearch();
  WorkItem* item = nullptr;
  for (int round = 0; round < kPausedRounds + kYieldedRounds && item == nullptr; ++round) {
    if (round >= kPausedRounds) {
      sched_yield();
    } else {
#if defined(__x86_64__) || defined(__i386__)
      for (int i = 0; i < kPausesPerRound; ++i) __builtin_ia32_pause();
#endif
    }
    item = Find();
    if (shared.stopping.load(std::memory_order_relaxed)) break;
  }
  const bool last = shared.gate.EndSearch();
  // Whoever added more while this thread was searching relied on it to pass the word on.
  if (item != nullptr && last && HasWork()) shared.gate.Wake(1);
  return item;
}

void ThreadPool::Worker::RunItem(WorkItem* item) {
  const auto kind_index = static_cast<size_t>(item->kind);
  const bool background = item->kind == TaskKind::kBackground;
  const bool is_task = item->queued_ns != WorkItem::kNotTimed;
  const bool in_group = item->in_group;
  const int64_t queued_ns = item->queued_ns;
  KindCounters& kind = counters[kind_index];
  const int64_t start_ns = last_end_ns != WorkItem::kNotTimed ? last_end_ns : shared.clock.SteadyNs();
  item->Run();
  last_end_ns = shared.clock.SteadyNs();
  Add(kind.run_ns, Elapsed(start_ns, last_end_ns));
  if (is_task) {
    const uint64_t waited = Elapsed(queued_ns, start_ns);
    Add(kind.wait_ns, waited);
    if (waited > kind.wait_max_ns.load(std::memory_order_relaxed)) {
      kind.wait_max_ns.store(waited, std::memory_order_relaxed);
    }
    // Release: who sees the count sees what the task did.
    kind.finished.store(kind.finished.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  } else if (in_group) {
    kind.finished.store(kind.finished.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  } else {
    Add(kind.invitations_taken, 1);
  }
  if (background) LeaveBackground();
}

void ThreadPool::WorkerMain(Worker& worker) {
  Worker::current = &worker;
  const std::string name = "tm-pool-" + std::to_string(worker.index);
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  while (true) {
    WorkItem* item = worker.Find();
    if (item == nullptr) {
      worker.last_end_ns = WorkItem::kNotTimed;
      worker.busy.store(false, std::memory_order_relaxed);
      item = worker.Search();
    }
    if (item != nullptr) {
      if (!worker.busy.load(std::memory_order_relaxed)) worker.busy.store(true, std::memory_order_relaxed);
      worker.RunItem(item);
      continue;
    }
    if (shared_->stopping.load(std::memory_order_seq_cst)) {
      // Whoever added work to an own deque is running and will empty it; the inbox is closed to all others.
      if (!worker.HasWork()) return;
      continue;
    }
    Add(worker.sleeps, 1);
    shared_->gate.Sleep([&] { return worker.HasWork() || shared_->stopping.load(std::memory_order_seq_cst); });
  }
}

ThreadPool::ThreadPool(const PoolOptions& options) {
  const size_t count = options.workers > 0 ? options.workers : UsableCpus();
  shared_ = std::make_unique<Shared>(options, count);
  workers_.reserve(count);
  for (size_t i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>(*this, i));
  // Only now: workers look into each other's deques.
  for (const auto& worker : workers_) worker->thread = std::thread([this, &worker = *worker] { WorkerMain(worker); });
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  TM_CHECK(Worker::current == nullptr || &Worker::current->pool != this);
  if (shared_->stopped.exchange(true)) return;
  shared_->inbox.Close();
  shared_->stopping.store(true, std::memory_order_seq_cst);
  shared_->gate.WakeAll();
  for (const auto& worker : workers_) worker->thread.join();
}

size_t ThreadPool::concurrency() const { return workers_.size(); }

void ThreadPool::Submit(TaskKind kind, Task task) {
  auto* const item = new TaskItem(kind, std::move(task));
  item->queued_ns = shared_->clock.SteadyNs();
  Enqueue(item, FullDeque::kTryInbox);
}

void ThreadPool::Enqueue(WorkItem* item, FullDeque full) {
  const auto index = static_cast<size_t>(item->kind);
  Worker* const worker = Worker::current;
  if (worker != nullptr && &worker->pool == this) {
    Add(worker->counters[index].submitted, 1);
    if (worker->deques[index].Push(item) || (full == FullDeque::kTryInbox && shared_->inbox.AddIfRoom(item))) {
      shared_->gate.Wake(1);
      return;
    }
    const DetachedFromLoop detached;
    item->Run();
    Add(worker->counters[index].finished, 1);
    return;
  }
  shared_->outside[index].submitted.fetch_add(1, std::memory_order_relaxed);
  switch (shared_->inbox.AddOrWait(item)) {
    case Inbox::Added::kQueuedAfterWait: shared_->submit_waits.fetch_add(1, std::memory_order_relaxed); [[fallthrough]];
    case Inbox::Added::kQueued: shared_->gate.Wake(1); return;
    case Inbox::Added::kClosed: {
      const DetachedFromLoop detached;
      item->Run();
      shared_->outside[index].finished.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
}

void ThreadPool::SubmitWithLimits(TaskKind kind, Task task, TaskLimits limits, OnGivenUp given_up) {
  Submit(
      kind, [this, kind, task = std::move(task), limits = std::move(limits), given_up = std::move(given_up)]() mutable {
        const bool cancelled = limits.stop.stop_requested();
        if (!cancelled && (limits.deadline_ns == std::numeric_limits<int64_t>::max() || NowNs() < limits.deadline_ns)) {
          task();
          return;
        }
        shared_->given_up[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
        if (given_up) given_up(cancelled ? GivenUp::kCancelled : GivenUp::kExpired);
      });
}

bool ThreadPool::TrySubmit(TaskKind kind, Task& task) {
  const auto index = static_cast<size_t>(kind);
  Worker* const worker = Worker::current;
  const bool inside = worker != nullptr && &worker->pool == this;
  auto item = std::make_unique<TaskItem>(kind, std::move(task));
  item->queued_ns = shared_->clock.SteadyNs();
  const bool queued = inside ? worker->deques[index].Push(item.get()) || shared_->inbox.AddIfRoom(item.get())
                             : shared_->inbox.AddIfOpen(item.get());
  if (!queued) {
    task = std::move(item->task);
    return false;
  }
  static_cast<void>(item.release());  // NOLINT(bugprone-unused-return-value): the queue has it
  if (inside) {
    Add(worker->counters[index].submitted, 1);
  } else {
    shared_->outside[index].submitted.fetch_add(1, std::memory_order_relaxed);
  }
  shared_->gate.Wake(1);
  return true;
}

int64_t ThreadPool::NowNs() const { return shared_->clock.SteadyNs(); }

// A full deque means that there is enough to steal.
void ThreadPool::AddGroupItem(WorkItem* item) { Enqueue(item, FullDeque::kRunHere); }

bool ThreadPool::RunGroupItem(TaskKind kind) {
  Worker* const worker = Worker::current;
  if (worker == nullptr || &worker->pool != this) return false;
  return worker->RunGroupItem(static_cast<size_t>(kind));
}

void ThreadPool::ParallelFor(TaskKind kind, size_t count, const std::function<void(size_t)>& body) {
  if (count == 0) return;
  const auto index = static_cast<size_t>(kind);
  Worker* const worker = Worker::current != nullptr && &Worker::current->pool == this ? Worker::current : nullptr;
  const size_t threads = workers_.size();
  // A worker's time is measured around the item that it runs.
  const int64_t start_ns = worker != nullptr ? 0 : shared_->clock.SteadyNs();
  if (count == 1 || threads == 1) {
    for (size_t i = 0; i < count; ++i) body(i);
  } else {
    const size_t grain = std::max<size_t>(1, count / (threads * kRunsPerThread));
    const size_t runs = (count + grain - 1) / grain;
    const auto helpers = static_cast<uint32_t>(std::min(threads, runs) - 1);
    auto* const loop = new ParallelLoop(kind, count, grain, body);
    if (worker != nullptr) {
      auto& deque = worker->deques[index];
      loop->Retain(helpers);
      uint32_t invited = 0;
      while (invited < helpers && deque.Push(loop)) ++invited;
      // The analyzer does not count references: helpers that are not invited give theirs back, ours stays until the
      // end.
      // NOLINTBEGIN(clang-analyzer-cplusplus.NewDelete)
      if (invited < helpers) {
        for (uint32_t i = invited; i < helpers; ++i) loop->Release();
      }
      if (invited > 0) shared_->gate.Wake(invited);
      loop->TakePart();
      // NOLINTEND(clang-analyzer-cplusplus.NewDelete)
      // Invitations that nobody took lie on top of the deque, unless an iteration has submitted something above them.
      while (deque.Bottom() == loop) {
        WorkItem* const popped = deque.Pop();
        if (popped == nullptr) break;
        TM_CHECK(popped == loop);
        loop->Release();
      }
      loop->Wait();
    } else {
      const bool invited = shared_->inbox.Invite(loop, helpers);
      if (invited) shared_->gate.Wake(helpers);
      loop->TakePart();
      if (invited) shared_->inbox.Withdraw(loop);
      loop->Wait();
    }
    loop->Release();
  }
  if (worker != nullptr) {
    Add(worker->counters[index].loops, 1);
  } else {
    shared_->outside[index].loops.fetch_add(1, std::memory_order_relaxed);
    shared_->outside[index].run_ns.fetch_add(Elapsed(start_ns, shared_->clock.SteadyNs()), std::memory_order_relaxed);
  }
}

PoolStats ThreadPool::stats() const {
  PoolStats stats;
  const auto add = [&](const std::array<KindCounters, kTaskKinds>& from) {
    for (size_t i = 0; i < kTaskKinds; ++i) {
      // Finished before submitted, so that a snapshot never shows more finished than submitted.
      stats.kinds[i].tasks_finished += from[i].finished.load(std::memory_order_acquire);
      stats.kinds[i].loops += from[i].loops.load(std::memory_order_relaxed);
      stats.kinds[i].invitations_taken += from[i].invitations_taken.load(std::memory_order_relaxed);
      stats.kinds[i].wait_ns += from[i].wait_ns.load(std::memory_order_relaxed);
      stats.kinds[i].wait_max_ns =
          std::max(stats.kinds[i].wait_max_ns, from[i].wait_max_ns.load(std::memory_order_relaxed));
      stats.kinds[i].run_ns += from[i].run_ns.load(std::memory_order_relaxed);
    }
  };
  add(shared_->outside);
  for (const auto& worker : workers_) {
    add(worker->counters);
    stats.busy_workers += worker->busy.load(std::memory_order_relaxed) ? 1 : 0;
    stats.steals += worker->steals.load(std::memory_order_relaxed);
    stats.sleeps += worker->sleeps.load(std::memory_order_relaxed);
  }
  for (size_t i = 0; i < kTaskKinds; ++i) {
    stats.kinds[i].tasks_given_up = shared_->given_up[i].load(std::memory_order_relaxed);
    stats.kinds[i].tasks_submitted += shared_->outside[i].submitted.load(std::memory_order_relaxed);
    for (const auto& worker : workers_) {
      stats.kinds[i].tasks_submitted += worker->counters[i].submitted.load(std::memory_order_relaxed);
    }
  }
  stats.workers = workers_.size();
  stats.submit_waits = shared_->submit_waits.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace tidemark::executor
