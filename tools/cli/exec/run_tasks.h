// The tasks of one run, by its id. Runs do not make series, so a query over a time shows what all runs of it did; here
// the rows of one are picked out by the id that each of them has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/result.h"
#include "tools/cli/exec/api_source.h"

namespace tidemark::cli {

struct PastTask {
  int64_t time_ms = 0;  // of its end
  std::string task, kind, outcome;
  std::string agent;  // "": it was skipped
  double seconds = 0;
  bool last_attempt = true;
};

// In the order of their ends, each attempt. Empty when no run has that id. Errors: those of asking.
Result<std::vector<PastTask>> ReadRunTasks(ApiSource& api, const std::string& database, const std::string& run_id);

// A line for each attempt, then the matrix: how many tasks of each kind ended on each agent.
std::string RunTasksText(const std::vector<PastTask>& tasks);

}  // namespace tidemark::cli
