#include "executor/pool/usable_cpus.h"

#include <sched.h>

#include <algorithm>
#include <thread>

namespace tidemark::executor {

size_t UsableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) return static_cast<size_t>(CPU_COUNT(&set));
  // More CPUs than the mask of this size holds.
  return std::max<size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace tidemark::executor
