// Schedule: which task comes next. Tasks with the longest way to the end of the pipeline go first, so that the
// critical path is never the one that waits.
//
// Source: R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969 (list scheduling); T. C. Hu, 1961 (levels).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "executor/agent/pipeline/pipeline.h"

namespace tidemark::executor {

// Durations of tasks by name, in nanoseconds, as known from earlier runs.
using KnownDurations = std::map<std::string, int64_t, std::less<>>;

// Hands out the tasks of a pipeline in dependency order. Not thread-safe. The pipeline must pass Check and outlive it.
class Schedule {
 public:
  // A task without a known duration counts as its weight, or else as the mean of the known ones; if none is known, the
  // way to the end is the number of tasks on it.
  Schedule(const Pipeline& pipeline, const KnownDurations& known);

  // Takes the ready task with the longest way to the end, of equals the first in the file. There must be one.
  size_t Take();
  [[nodiscard]] size_t ready() const { return ready_.size(); }
  // The task that Take would take. There must be one.
  [[nodiscard]] size_t Next() const { return ready_.front(); }
  // Tasks neither taken nor skipped, the ready ones included.
  [[nodiscard]] size_t queued() const { return queued_; }

  // A taken task has succeeded: returns the tasks that became ready by it.
  std::vector<size_t> Succeeded(size_t task);
  // A taken task has failed: returns the tasks that can never run now, in the order of the file.
  std::vector<size_t> Failed(size_t task);
  // Skips all tasks that have not been taken and returns them.
  std::vector<size_t> SkipAll();

  // The way from the start of `task` to the end of the pipeline, itself included, in nanoseconds or tasks.
  [[nodiscard]] int64_t way_to_end(size_t task) const { return way_to_end_[task]; }

 private:
  enum class State { kWaiting, kReady, kTaken, kSkipped };

  void MakeReady(size_t task);

  std::vector<State> states_;
  std::vector<size_t> missing_needs_;
  std::vector<std::vector<size_t>> needed_by_;
  std::vector<int64_t> way_to_end_;
  std::vector<size_t> ready_;  // a heap
  size_t queued_;
};

// The longest chain of needs when the tasks took `durations` (by index), in the same unit.
int64_t CriticalPath(const Pipeline& pipeline, const std::vector<int64_t>& durations);

}  // namespace tidemark::executor
