// RunReporter: turns the facts of one run into points (table: executor/README.md) and writes them through a PointSink
// on a thread of its own, so that no agent waits for a disk or a network. What comes while a write is under way goes
// out together with the next one. Reports never fail a run: what the sink refuses is counted and told at the end.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "executor/telemetry/resource_facts.h"
#include "executor/telemetry/run_facts.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/point_sink.h"

namespace tidemark::executor {

inline constexpr std::string_view kExecDatabase = "_exec";
// Behind the name of the database of the reports: where sequential runs leave their times, so that they outlive the
// retention of everything else.
inline constexpr std::string_view kBaselineSuffix = "_baselines";
inline constexpr size_t kMaxDurationsBytes = 32'000;

enum class EventLevel { kInfo, kWarning, kError };

struct ReporterOptions {
  std::string database{kExecDatabase};
  // Rows that wait for the sink; further ones are dropped and counted. A row costs some 500 bytes.
  size_t max_pending_rows = 20'000;
};

struct ReportTally {
  uint64_t rows_written = 0;
  uint64_t rows_lost = 0;  // dropped, refused by the sink, or in a write that failed
  std::string last_error;
};

// Thread-safe. `sink` and `clock` must outlive it; `sink` may be null: then nothing is reported.
class RunReporter {
 public:
  RunReporter(const ReporterOptions& options, RunFacts run, model::PointSink* sink, const Clock& clock);
  // Finishes.
  ~RunReporter();
  RunReporter(const RunReporter&) = delete;
  RunReporter& operator=(const RunReporter&) = delete;

  void Progress(const RunProgress& progress);
  void Task(const TaskFacts& task);
  // What a task told about itself while it runs.
  void TaskProgress(const TaskFacts& task, double percent);
  // A run that an earlier process left unfinished; its pipeline is the tag.
  void Interrupted(std::string_view run_id, std::string_view pipeline, int64_t started_at_ns, size_t tasks,
                   size_t tasks_ended);
  void Resources(const ResourceFacts& facts);
  // The CPU time that the sampler's thread has spent so far; part of what reporting costs.
  void SampledFor(int64_t cpu_ns) { sampler_cpu_ns_.store(cpu_ns, std::memory_order_relaxed); }
  // CPU time of reporting so far: sampling and writing.
  [[nodiscard]] int64_t cpu_ns() const {
    return sampler_cpu_ns_.load(std::memory_order_relaxed) + writer_cpu_ns_.load(std::memory_order_relaxed);
  }
  void AgentReady(const AgentFacts& agent);
  void AgentFirstTask(const AgentFacts& agent);
  void AgentEnd(const AgentFacts& agent, int64_t run_ns);
  // One line for people, as "build succeeded in 32 ms". `agent` and `kind` may be empty.
  void Event(EventLevel level, std::string_view agent, std::string_view kind, std::string_view text);
  // `durations`: "name=seconds" of each task that succeeded, between spaces; left out when longer than
  // kMaxDurationsBytes.
  void End(const RunTotals& totals, std::string_view durations = {});

  // Writes what is pending and ends the thread; reports after it are dropped and counted. May be called again.
  ReportTally Finish();

  // Labels that callers may not give, since the executor sets them itself.
  static Result<void> CheckLabels(const model::Labels& labels);

 private:
  // Starts a row with the common tags and the run id, or returns null when there is no room.
  model::BatchBuilder* StartRow(std::string_view measurement, std::string_view agent, std::string_view kind)
      TM_REQUIRES(mutex_);
  // The same for a pipeline and run other than this one's.
  model::BatchBuilder* StartRowOf(std::string_view pipeline, std::string_view run_id, std::string_view measurement,
                                  std::string_view agent, std::string_view kind, std::string_view cpu = {})
      TM_REQUIRES(mutex_);
  void Gate(const TaskFacts& task) TM_REQUIRES(mutex_);
  void Count(const Result<model::WriteReport>& written, size_t rows) TM_REQUIRES(mutex_);
  void WriteLoop();

  const ReporterOptions options_;
  const RunFacts run_;
  model::PointSink* const sink_;
  const Clock& clock_;

  std::atomic<int64_t> sampler_cpu_ns_{0}, writer_cpu_ns_{0};

  Mutex mutex_;
  CondVar changed_;
  model::BatchBuilder filling_ TM_GUARDED_BY(mutex_);
  size_t filling_rows_ TM_GUARDED_BY(mutex_) = 0;
  bool finishing_ TM_GUARDED_BY(mutex_) = false;
  // The last time used for each series: two rows of one series at one time would be one point.
  std::map<std::string, int64_t, std::less<>> last_time_ns_ TM_GUARDED_BY(mutex_);
  ReportTally tally_ TM_GUARDED_BY(mutex_);
  model::BatchBuilder baseline_ TM_GUARDED_BY(mutex_);
  bool has_baseline_ TM_GUARDED_BY(mutex_) = false;
  std::thread writer_;
};

}  // namespace tidemark::executor
