// What the machine and the agents' process trees were doing at one moment of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::executor {

enum class PressureLevel { kLow, kMedium, kHigh };

// "LOW", "MEDIUM", "HIGH".
std::string_view Name(PressureLevel level);

// From the share of the last 10 s (PSI, memory, some; percent) in which some task waited for memory: medium from 10,
// high from 40.
PressureLevel LevelOf(double memory_stall_percent);

struct CoreUse {
  std::string cpu{};  // tag: "cpu0", ...
  double busy_percent = 0;
};

struct AgentUse {
  std::string agent{};  // tag
  size_t processes = 0;
  int64_t rss_bytes = 0;  // of its tasks' process trees
  double cores = 0;       // CPU time per time since the sample before
};

// Rates and percentages are of the time since the sample before.
struct ResourceFacts {
  int64_t after_ns = 0;  // since the start of the run
  double cpu_percent = 0;
  double iowait_percent = 0;
  std::vector<CoreUse> cores{};
  std::vector<AgentUse> agents{};
  int64_t agents_rss_bytes = 0;
  int64_t budget_bytes = 0;  // for the agents together
  int64_t memory_available_bytes = 0;
  double memory_used_percent = 0;
  int64_t swap_used_bytes = 0;
  double memory_stall_percent = 0;  // PSI: some, of the last 10 s
  PressureLevel memory_pressure = PressureLevel::kLow;
  double read_bytes_per_second = 0;  // of all disks
  double written_bytes_per_second = 0;
  double operations_per_second = 0;
  int64_t queue_depth = 0;  // operations under way
};

}  // namespace tidemark::executor
