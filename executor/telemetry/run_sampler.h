// RunSampler: looks at the machine and at the agents' process trees every 100 ms while a run lasts, on a thread of its
// own, and reports what it sees.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "executor/telemetry/resource_facts.h"
#include "executor/telemetry/run_reporter.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace tidemark::executor {

// The processes that an agent's tasks were started as.
struct AgentProcesses {
  std::string agent{};
  std::vector<pid_t> roots{};
};

struct RunSamplerOptions {
  int64_t period_ns = 100'000'000;
  // What the agents may use together; 0: the machine's memory.
  int64_t memory_budget_bytes = 0;
  std::string proc_root = "/proc";
  std::string sys_root = "/sys";
};

// What a whole run looked like.
struct SampledTotals {
  double io_wait = 0;  // share of all processors' time spent idle with I/O outstanding
  int64_t peak_rss_bytes = 0;
};

class RunSampler {
 public:
  // `agents` is called on the sampler's thread; it, `reporter` and `clock` must outlive the sampler.
  RunSampler(RunSamplerOptions options, RunReporter& reporter, std::function<std::vector<AgentProcesses>()> agents,
             const Clock& clock, int64_t started_ns);
  ~RunSampler();
  RunSampler(const RunSampler&) = delete;
  RunSampler& operator=(const RunSampler&) = delete;

  void Start();
  // Takes a last sample and ends the thread. May be called again.
  SampledTotals Stop();

  // One sample and its report, as the thread does; the first only begins the intervals. Not while the thread runs.
  void Tick();

 private:
  struct CpuTimes {
    int64_t busy = 0, iowait = 0, all = 0;
  };
  struct Io {
    int64_t read_bytes = 0, written_bytes = 0, operations = 0, in_progress = 0;
  };

  void Loop();
  [[nodiscard]] std::optional<std::string> Proc(const std::string& file) const;
  void SampleCpu(ResourceFacts& facts);
  void SampleMemory(ResourceFacts& facts);
  void SampleDisks(ResourceFacts& facts, double seconds);
  void SampleAgents(ResourceFacts& facts, double seconds);

  const RunSamplerOptions options_;
  RunReporter& reporter_;
  const std::function<std::vector<AgentProcesses>()> agents_;
  const Clock& clock_;
  const int64_t started_ns_;

  std::optional<int64_t> last_ns_;
  std::map<std::string, CpuTimes, std::less<>> last_cpu_;
  CpuTimes first_cpu_, newest_cpu_;
  std::optional<Io> last_io_;
  // Whole disks, not their partitions; asked once.
  std::map<std::string, bool, std::less<>> is_disk_;
  std::map<std::string, int64_t, std::less<>> last_agent_cpu_ns_;
  PressureLevel level_ = PressureLevel::kLow;
  SampledTotals totals_;

  Mutex mutex_;
  CondVar changed_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark::executor
