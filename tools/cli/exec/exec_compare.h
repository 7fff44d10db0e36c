// tidemark exec compare: the same pipeline run in several ways, side by side.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executor/agent/run.h"
#include "storage/base/result.h"
#include "tools/cli/exec/exec_flags.h"

namespace tidemark::cli {

// What --vary names: an environment variable of all tasks, or the option `agents` or `slots`, and its values.
struct Variation {
  std::string name;
  std::vector<std::string> values;  // two or more
};

// "NAME=on,off". kInvalidArgument without a name or with fewer than two different values.
Result<Variation> ParseVariation(std::string_view text);

// One way of running and how it went.
struct Comparison {
  std::string name;  // "sequential", "2 agents", "NAME=on"
  size_t cores = 1;
  std::vector<executor::RunTotals> runs;

  // Of the durations; NaN without runs.
  [[nodiscard]] double MedianSeconds() const;
  [[nodiscard]] double MedianCpuSeconds() const;
};

// Aligned columns, each row beside the first one. `with_ideal` adds the efficiency: speedup / cores.
std::string ComparisonTable(const std::vector<Comparison>& comparisons, bool with_ideal);

struct CompareFlags {
  ExecFlags exec;
  std::string vary;
  int repeat = 1;
};

int RunCompare(const CompareFlags& flags);

}  // namespace tidemark::cli
