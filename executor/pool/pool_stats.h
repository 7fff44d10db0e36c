// PoolStats: what the pool has done so far and is doing now, for /metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "storage/base/scheduler.h"

namespace tidemark::executor {

inline constexpr size_t kTaskKinds = 4;

// Counts since the pool started, all of one kind. Times are in nanoseconds.
struct KindStats {
  uint64_t tasks_submitted = 0;
  uint64_t tasks_finished = 0;
  uint64_t tasks_given_up = 0;     // of those: not run, since they were cancelled or late (SubmitWithLimits)
  uint64_t loops = 0;              // calls of ParallelFor
  uint64_t invitations_taken = 0;  // times that a worker joined somebody's loop
  uint64_t wait_ns = 0;            // from Submit to the start, summed over tasks but those of a TaskGroup
  uint64_t wait_max_ns = 0;        // the longest of them
  // Time that threads spent in tasks and loops. Work nested in other work counts once, for the outer one's kind.
  uint64_t run_ns = 0;
};

struct PoolStats {
  std::array<KindStats, kTaskKinds> kinds;  // by TaskKind
  size_t workers = 0;
  size_t busy_workers = 0;    // running something at this moment
  uint64_t steals = 0;        // items taken from another worker
  uint64_t sleeps = 0;        // times that a worker found nothing and went to sleep
  uint64_t submit_waits = 0;  // times that Submit had to wait for room in the queue

  [[nodiscard]] const KindStats& of(TaskKind kind) const { return kinds[static_cast<size_t>(kind)]; }
};

}  // namespace tidemark::executor
