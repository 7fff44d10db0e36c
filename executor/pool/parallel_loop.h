// ParallelLoop: one call of ParallelFor while it runs. Threads that take part draw runs of indices from a shared
// counter until none is left.
//
// The caller waits for iterations that other threads have drawn, never for queued ones, so nesting cannot deadlock.
// While it waits it helps, but only with loops that iterations of its own loop have started: running anything else
// would let the caller wait on work it has nothing to do with, grow its stack without bound, and meet locks it holds.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "executor/pool/work_item.h"
#include "storage/base/mutex.h"

namespace tidemark::executor {

// Shared between the caller and the queued invitations by count; the last one deletes it. Thread-safe.
class ParallelLoop final : public WorkItem {
 public:
  using Body = std::function<void(size_t)>;

  // `body` is called for [0, count), in runs of `grain` indices (>= 1). It must live until Wait has returned. The
  // loop becomes a child of the loop whose iteration runs on this thread, if any.
  ParallelLoop(TaskKind of_kind, size_t count, size_t grain, const Body& body);

  // Calls the body for indices that nobody has drawn, until there is none.
  void TakePart();
  // Returns when all iterations have been done. The creating thread only, once, after TakePart.
  void Wait();

  // Helps as invited.
  void Run() override {
    TakePart();
    Release();
  }

  void Retain(uint32_t shares) { shares_.fetch_add(shares, std::memory_order_relaxed); }
  void Release() {
    if (shares_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  [[nodiscard]] bool has_undrawn() const { return next_.load(std::memory_order_relaxed) < count_; }

  // Links and open invitations of the pool's list of loops; guarded by the pool.
  ParallelLoop* list_previous = nullptr;
  ParallelLoop* list_next = nullptr;
  uint32_t invitations = 0;

 private:
  ~ParallelLoop() = default;

  [[nodiscard]] bool done() const { return done_.load(std::memory_order_acquire) == count_; }
  // A descendant with iterations that nobody has drawn, retained, or null.
  ParallelLoop* FindDescendant() TM_REQUIRES(mutex_);
  void AddChild(ParallelLoop* child);
  void RemoveChild(ParallelLoop* child);

  const size_t count_;
  const size_t grain_;
  const Body& body_;
  ParallelLoop* const parent_;

  alignas(64) std::atomic<size_t> next_{0};
  alignas(64) std::atomic<size_t> done_{0};
  std::atomic<uint32_t> shares_{1};
  std::atomic<bool> caller_waits_{false};

  // Lock order: a loop before its children.
  Mutex mutex_;
  CondVar changed_;  // done, or a descendant was added
  ParallelLoop* first_child_ TM_GUARDED_BY(mutex_) = nullptr;
  // Among the children of parent_; guarded by parent_->mutex_.
  ParallelLoop* previous_sibling_ = nullptr;
  ParallelLoop* next_sibling_ = nullptr;
};

// While it lives, loops started on this thread have no parent. For tasks that run in the middle of another's loop.
class DetachedFromLoop {
 public:
  DetachedFromLoop();
  ~DetachedFromLoop();
  DetachedFromLoop(const DetachedFromLoop&) = delete;
  DetachedFromLoop& operator=(const DetachedFromLoop&) = delete;

 private:
  ParallelLoop* const outer_;
};

}  // namespace tidemark::executor
