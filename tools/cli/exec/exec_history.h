// What a server or a data directory knows about earlier runs, read from the reports of `tidemark exec`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "executor/agent/pipeline/schedule.h"
#include "executor/telemetry/run_reporter.h"
#include "storage/base/result.h"
#include "storage/model/labels.h"
#include "tools/cli/exec/api_source.h"

namespace tidemark::cli {

struct PastRun {
  int64_t time_ms = 0;  // of its end
  std::string pipeline;
  std::string mode;
  std::string outcome;
  std::string id;        // for ReadRunTasks; "" when it is not known
  model::Labels labels;  // without the two above
  double seconds = 0, tasks = 0;
  double speedup = 0, efficiency = 0;  // 0: it has none, as a run that was cancelled
  double sequential_measured = 0;      // else its speedup is an estimate
};

// The newest `limit` runs, newest first; of all pipelines when `pipeline` is "".
Result<std::vector<PastRun>> ReadHistory(ApiSource& api, const std::string& database, const std::string& pipeline,
                                         size_t limit);

// One line for people: end, pipeline, mode, outcome, seconds, speedup (~ before an estimate) and efficiency, tasks, id,
// labels.
std::string HistoryLine(const PastRun& run);

// How long the tasks of the newest run of the pipeline took that knew; empty when there is none.
Result<executor::KnownDurations> ReadDurations(ApiSource& api, const std::string& database,
                                               const std::string& pipeline);

// The newest sequential run of the pipeline with as many tasks, in nanoseconds; 0 when there is none.
Result<int64_t> ReadBaseline(ApiSource& api, const std::string& database, const std::string& pipeline, size_t tasks);

// "a=1.5 b=0.2" as nanoseconds by name; what does not read as expected is left out.
executor::KnownDurations ParseDurations(std::string_view text);

}  // namespace tidemark::cli
