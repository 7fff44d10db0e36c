// WorkItem: what the pool's queues hold: a submitted task, or an invitation to help with a parallel loop.
#pragma once

#include <cstdint>
#include <utility>

#include "storage/base/scheduler.h"

namespace tidemark::executor {

struct WorkItem {
  explicit WorkItem(TaskKind of_kind, bool of_group = false) : kind(of_kind), in_group(of_group) {}
  WorkItem(const WorkItem&) = delete;
  WorkItem& operator=(const WorkItem&) = delete;

  // Does the work and gives up the queue's share of the item, which may be gone afterwards. Called once for each time
  // that the item was queued.
  virtual void Run() = 0;

  const TaskKind kind;
  // A task of a TaskGroup: threads that wait for a group may run it.
  const bool in_group;
  // Clock::SteadyNs when it was queued; kNotTimed for what is not counted as waiting.
  static constexpr int64_t kNotTimed = INT64_MIN;
  int64_t queued_ns = kNotTimed;

 protected:
  ~WorkItem() = default;
};

struct TaskItem final : WorkItem {
  TaskItem(TaskKind of_kind, Scheduler::Task of_task) : WorkItem(of_kind), task(std::move(of_task)) {}
  void Run() override {
    task();
    delete this;
  }

  Scheduler::Task task;
};

}  // namespace tidemark::executor
