#include "executor/pool/parallel_loop.h"

#include <algorithm>

namespace tidemark::executor {
namespace {

// The loop whose iteration runs on this thread.
thread_local ParallelLoop* current_loop = nullptr;

// How often Wait looks before it sleeps: the last iterations of a loop are usually done within a few microseconds.
constexpr int kSpins = 200;

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ParallelLoop::ParallelLoop(TaskKind of_kind, size_t count, size_t grain, const Body& body)
    : WorkItem(of_kind), count_(count), grain_(grain), body_(body), parent_(current_loop) {
  if (parent_ != nullptr) parent_->AddChild(this);
}

void ParallelLoop::TakePart() {
  ParallelLoop* const outer = current_loop;
  current_loop = this;
  size_t finished = 0;
  while (has_undrawn()) {
    const size_t first = next_.fetch_add(grain_, std::memory_order_relaxed);
    if (first >= count_) break;
    const size_t last = std::min(count_, first + grain_);
    for (size_t i = first; i < last; ++i) body_(i);
    finished += last - first;
  }
  current_loop = outer;
  if (finished > 0 && done_.fetch_add(finished, std::memory_order_seq_cst) + finished == count_ &&
      caller_waits_.load(std::memory_order_seq_cst)) {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }
}

void ParallelLoop::Wait() {
  for (int i = 0; i < kSpins && !done(); ++i) Pause();
  if (!done()) {
    mutex_.Lock();
    caller_waits_.store(true, std::memory_order_seq_cst);
    while (done_.load(std::memory_order_seq_cst) != count_) {
      if (ParallelLoop* const descendant = FindDescendant(); descendant != nullptr) {
        mutex_.Unlock();
        descendant->TakePart();
        descendant->Release();
        mutex_.Lock();
      } else {
        changed_.Wait(mutex_);
      }
    }
    mutex_.Unlock();
  }
  if (parent_ != nullptr) parent_->RemoveChild(this);
}

ParallelLoop* ParallelLoop::FindDescendant() {
  // A child stays in the list, and so alive, as long as its parent's mutex is held.
  for (ParallelLoop* child = first_child_; child != nullptr; child = child->next_sibling_) {
    if (child->has_undrawn()) {
      child->Retain(1);
      return child;
    }
    MutexLock lock(child->mutex_);
    if (ParallelLoop* const found = child->FindDescendant(); found != nullptr) return found;
  }
  return nullptr;
}

void ParallelLoop::AddChild(ParallelLoop* child) {
  {
    MutexLock lock(mutex_);
    child->next_sibling_ = first_child_;
    if (first_child_ != nullptr) first_child_->previous_sibling_ = child;
    first_child_ = child;
  }
  // An ancestor's caller that waits can help. It either sees the child when it looks through the lists under their
  // mutexes, or has set caller_waits_ before this thread took the mutex above.
  for (ParallelLoop* ancestor = this; ancestor != nullptr; ancestor = ancestor->parent_) {
    if (!ancestor->caller_waits_.load(std::memory_order_seq_cst)) continue;
    MutexLock lock(ancestor->mutex_);
    ancestor->changed_.NotifyAll();
  }
}

void ParallelLoop::RemoveChild(ParallelLoop* child) {
  MutexLock lock(mutex_);
  if (child->previous_sibling_ != nullptr) {
    child->previous_sibling_->next_sibling_ = child->next_sibling_;
  } else {
    first_child_ = child->next_sibling_;
  }
  if (child->next_sibling_ != nullptr) child->next_sibling_->previous_sibling_ = child->previous_sibling_;
}

DetachedFromLoop::DetachedFromLoop() : outer_(current_loop) { current_loop = nullptr; }
DetachedFromLoop::~DetachedFromLoop() { current_loop = outer_; }

}  // namespace tidemark::executor
