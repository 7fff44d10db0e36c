#include "executor/telemetry/run_reporter.h"

#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "storage/base/check.h"

namespace tidemark::executor {
namespace {

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }
int64_t Number(uint64_t count) { return static_cast<int64_t>(count); }

std::string_view Name(EventLevel level) {
  switch (level) {
    case EventLevel::kInfo: return "info";
    case EventLevel::kWarning: return "warning";
    case EventLevel::kError: return "error";
  }
  return "info";
}

}  // namespace

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded: return "succeeded";
    case Outcome::kFailed: return "failed";
    case Outcome::kTimedOut: return "timed out";
    case Outcome::kCancelled: return "cancelled";
    case Outcome::kSkipped: return "skipped";
  }
  return "unknown";
}

std::string_view Name(GateStatus status) {
  switch (status) {
    case GateStatus::kPass: return "PASS";
    case GateStatus::kWarn: return "WARN";
    case GateStatus::kFail: return "FAIL";
  }
  return "unknown";
}

GateFacts GateOf(const TaskFacts& task) {
  if (task.gate) return *task.gate;
  GateFacts facts;
  if (task.outcome == Outcome::kSucceeded) return facts;
  facts.status = GateStatus::kFail;
  if (!task.error.empty()) {
    facts.reason = task.error;
  } else if (task.outcome == Outcome::kFailed) {
    facts.reason =
        task.signal != 0 ? fmt::format("signal {}", task.signal) : fmt::format("exit code {}", task.exit_code);
  } else {
    facts.reason = Name(task.outcome);
  }
  return facts;
}

RunReporter::RunReporter(const ReporterOptions& options, RunFacts run, model::PointSink* sink, const Clock& clock)
    : options_(options), run_(std::move(run)), sink_(sink), clock_(clock) {
  if (sink_ != nullptr) writer_ = std::thread([this] { WriteLoop(); });
}

RunReporter::~RunReporter() { Finish(); }

Result<void> RunReporter::CheckLabels(const model::Labels& labels) {
  static constexpr std::array<std::string_view, 5> kOwn{"pipeline", "kind", "agent", "mode", "cpu"};
  for (size_t i = 0; i < labels.size(); ++i) {
    const model::Label& label = labels[i];
    if (label.name.empty() || label.name.starts_with("__")) {
      return InvalidArgument(fmt::format("a label cannot be named \"{}\"", label.name));
    }
    if (std::find(kOwn.begin(), kOwn.end(), label.name) != kOwn.end()) {
      return InvalidArgument(fmt::format("the label \"{}\" is set by the executor itself", label.name));
    }
    for (size_t j = 0; j < i; ++j) {
      if (labels[j].name == label.name) {
        return InvalidArgument(fmt::format("the label \"{}\" is given twice", label.name));
      }
    }
  }
  return {};
}

model::BatchBuilder* RunReporter::StartRow(std::string_view measurement, std::string_view agent,
                                           std::string_view kind) {
  return StartRowOf(run_.pipeline, run_.run_id, measurement, agent, kind);
}

model::BatchBuilder* RunReporter::StartRowOf(std::string_view pipeline, std::string_view run_id,
                                             std::string_view measurement, std::string_view agent,
                                             std::string_view kind, std::string_view cpu) {
  if (sink_ == nullptr) return nullptr;
  if (finishing_ || filling_rows_ >= options_.max_pending_rows) {
    ++tally_.rows_lost;
    return nullptr;
  }
  std::vector<model::LabelView> tags{{"pipeline", pipeline}, {"mode", run_.mode}};
  if (!agent.empty()) tags.push_back({"agent", agent});
  if (!kind.empty()) tags.push_back({"kind", kind});
  if (!cpu.empty()) tags.push_back({"cpu", cpu});
  for (const model::Label& label : run_.labels) tags.push_back({label.name, label.value});

  const std::string series = fmt::format("{}\n{}\n{}\n{}\n{}", pipeline, measurement, agent, kind, cpu);
  int64_t now_ns = clock_.NowNs();
  auto [last, added] = last_time_ns_.emplace(series, now_ns);
  if (!added) now_ns = last->second = std::max(now_ns, last->second + 1);

  filling_.Row(measurement, tags, {now_ns}).Field("run_id", run_id);
  ++filling_rows_;
  changed_.NotifyOne();
  return &filling_;
}

void RunReporter::Progress(const RunProgress& progress) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_run", "", "");
  if (row == nullptr) return;
  row->Field("tasks_running", Number(progress.running))
      .Field("tasks_queued", Number(progress.queued))
      .Field("tasks_complete", Number(progress.complete))
      .Field("tasks", Number(run_.tasks))
      .Field("agents", Number(run_.agents));
}

void RunReporter::Task(const TaskFacts& task) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_task", task.agent, task.kind);
  if (row == nullptr) return;
  row->Field("task", std::string_view(task.task))
      .Field("outcome", Name(task.outcome))
      .Field("success", int64_t{task.outcome == Outcome::kSucceeded ? 1 : 0})
      .Field("attempt", int64_t{task.attempt});
  if (task.outcome == Outcome::kSkipped) return;
  row->Field("last_attempt", int64_t{task.last_attempt ? 1 : 0})
      .Field("exit_code", int64_t{task.exit_code})
      .Field("signal", int64_t{task.signal})
      .Field("killed", int64_t{task.killed ? 1 : 0})
      .Field("duration_seconds", Seconds(task.duration_ns))
      .Field("wait_seconds", Seconds(task.started_after_ns - task.ready_after_ns))
      .Field("started_after_seconds", Seconds(task.started_after_ns))
      .Field("cpu_user_seconds", Seconds(task.user_cpu_ns))
      .Field("cpu_system_seconds", Seconds(task.system_cpu_ns))
      .Field("max_rss_bytes", task.max_rss_bytes)
      .Field("read_bytes", task.read_bytes)
      .Field("written_bytes", task.written_bytes)
      .Field("output_bytes", Number(task.output_bytes))
      .Field("slots", Number(task.slots))
      .Field("escaped_processes", Number(task.escaped));
  if (task.input_files > 0) {
    row->Field("input_files", Number(task.input_files)).Field("input_bytes", Number(task.input_bytes));
  }
  if (task.last_attempt && task.outcome != Outcome::kCancelled) Gate(task);
}

void RunReporter::Gate(const TaskFacts& task) {
  model::BatchBuilder* const row = StartRow("exec_gate", "", task.kind);
  if (row == nullptr) return;
  const GateFacts gate = GateOf(task);
  row->Field("task", std::string_view(task.task))
      .Field("status", Name(gate.status))
      .Field("level", static_cast<int64_t>(gate.status))
      .Field("duration_seconds", Seconds(task.duration_ns));
  if (gate.value) row->Field("number", *gate.value);
  if (!gate.unit.empty()) row->Field("unit", std::string_view(gate.unit));
  if (!gate.reason.empty()) row->Field("reason", std::string_view(gate.reason));
}

void RunReporter::TaskProgress(const TaskFacts& task, double percent) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_task", task.agent, task.kind);
  if (row == nullptr) return;
  row->Field("task", std::string_view(task.task)).Field("progress_percent", percent);
}

void RunReporter::Interrupted(std::string_view run_id, std::string_view pipeline, int64_t started_at_ns, size_t tasks,
                              size_t tasks_ended) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRowOf(pipeline, run_id, "exec_run", "", "");
  if (row == nullptr) return;
  row->Field("outcome", "interrupted")
      .Field("success", int64_t{0})
      .Field("tasks", Number(tasks))
      .Field("tasks_complete", Number(tasks_ended))
      .Field("started_at_seconds", Seconds(started_at_ns));
}

void RunReporter::Resources(const ResourceFacts& facts) {
  MutexLock lock(mutex_);
  const double after = Seconds(facts.after_ns);
  if (model::BatchBuilder* const row = StartRow("exec_resource", "", ""); row != nullptr) {
    row->Field("after_seconds", after)
        .Field("cpu_percent", facts.cpu_percent)
        .Field("iowait_percent", facts.iowait_percent)
        .Field("agents_rss_bytes", facts.agents_rss_bytes)
        .Field("budget_bytes", facts.budget_bytes)
        .Field("memory_available_bytes", facts.memory_available_bytes)
        .Field("memory_used_percent", facts.memory_used_percent)
        .Field("memory_stall_percent", facts.memory_stall_percent)
        .Field("memory_pressure", static_cast<int64_t>(facts.memory_pressure))
        .Field("swap_used_bytes", facts.swap_used_bytes)
        .Field("read_bytes_per_second", facts.read_bytes_per_second)
        .Field("written_bytes_per_second", facts.written_bytes_per_second)
        .Field("operations_per_second", facts.operations_per_second)
        .Field("queue_depth", facts.queue_depth);
  }
  for (const CoreUse& core : facts.cores) {
    model::BatchBuilder* const row = StartRowOf(run_.pipeline, run_.run_id, "exec_core", "", "", core.cpu);
    if (row != nullptr) row->Field("after_seconds", after).Field("busy_percent", core.busy_percent);
  }
  for (const AgentUse& agent : facts.agents) {
    model::BatchBuilder* const row = StartRow("exec_agent", agent.agent, "");
    if (row == nullptr) continue;
    row->Field("after_seconds", after)
        .Field("processes", Number(agent.processes))
        .Field("rss_bytes", agent.rss_bytes)
        .Field("cores", agent.cores);
  }
}

void RunReporter::AgentReady(const AgentFacts& agent) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_agent", agent.agent, "");
  if (row == nullptr) return;
  row->Field("start_seconds", Seconds(agent.start_ns)).Field("channel_setup_seconds", Seconds(agent.channel_setup_ns));
}

void RunReporter::AgentFirstTask(const AgentFacts& agent) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_agent", agent.agent, "");
  if (row == nullptr) return;
  row->Field("first_task_seconds", Seconds(agent.first_task_ns));
}

void RunReporter::AgentEnd(const AgentFacts& agent, int64_t run_ns) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_agent", agent.agent, "");
  if (row == nullptr) return;
  row->Field("busy_seconds", Seconds(agent.busy_ns))
      .Field("lock_wait_seconds", Seconds(agent.lock_wait_ns))
      .Field("attempts", Number(agent.attempts));
  if (run_ns > 0) row->Field("utilisation", static_cast<double>(agent.busy_ns) / static_cast<double>(run_ns));
}

void RunReporter::Event(EventLevel level, std::string_view agent, std::string_view kind, std::string_view text) {
  MutexLock lock(mutex_);
  model::BatchBuilder* const row = StartRow("exec_event", agent, kind);
  if (row == nullptr) return;
  row->Field("text", text).Field("level", Name(level));
}

void RunReporter::End(const RunTotals& totals, std::string_view durations) {
  MutexLock lock(mutex_);
  if (run_.mode == "sequential" && totals.outcome == Outcome::kSucceeded && sink_ != nullptr && !finishing_) {
    std::vector<model::LabelView> tags{{"pipeline", run_.pipeline}};
    for (const model::Label& label : run_.labels) tags.push_back({label.name, label.value});
    baseline_.Row("exec_baseline", tags, {clock_.NowNs()})
        .Field("run_id", std::string_view(run_.run_id))
        .Field("seconds", Seconds(totals.duration_ns))
        .Field("tasks", Number(run_.tasks));
    has_baseline_ = true;
  }
  model::BatchBuilder* const row = StartRow("exec_run", "", "");
  if (row == nullptr) return;
  row->Field("outcome", Name(totals.outcome))
      .Field("success", int64_t{totals.outcome == Outcome::kSucceeded ? 1 : 0})
      .Field("agents", Number(run_.agents))
      .Field("tasks", Number(run_.tasks))
      .Field("tasks_succeeded", Number(totals.succeeded))
      .Field("tasks_failed", Number(totals.failed))
      .Field("tasks_timed_out", Number(totals.timed_out))
      .Field("tasks_cancelled", Number(totals.cancelled))
      .Field("tasks_skipped", Number(totals.skipped))
      .Field("duration_seconds", Seconds(totals.duration_ns))
      .Field("work_seconds", Seconds(totals.work_ns))
      .Field("cpu_seconds", Seconds(totals.cpu_ns))
      .Field("critical_path_seconds", Seconds(totals.critical_path_ns))
      .Field("sequential_seconds", Seconds(totals.sequential_ns))
      .Field("sequential_measured", int64_t{totals.sequential_measured ? 1 : 0})
      .Field("agents_busy", totals.agents_busy)
      .Field("utilisation", totals.utilisation)
      .Field("lock_contention", totals.lock_contention)
      .Field("serial_share", totals.serial_share)
      .Field("cores", Number(run_.agents * run_.slots))
      .Field("max_rss_bytes", totals.max_rss_bytes)
      .Field("peak_rss_bytes", totals.peak_rss_bytes)
      .Field("io_wait", totals.io_wait)
      .Field("reporting_cpu_seconds", Seconds(cpu_ns()))
      .Field("gates_passed", Number(totals.gates_passed))
      .Field("gates_warned", Number(totals.gates_warned))
      .Field("gates_failed", Number(totals.gates_failed));
  // A run that was cut short did not do the work that it would be compared with.
  if (totals.outcome != Outcome::kCancelled) {
    row->Field("speedup", totals.speedup).Field("efficiency", totals.efficiency);
  }
  if (!durations.empty() && durations.size() <= kMaxDurationsBytes) row->Field("durations", durations);
}

ReportTally RunReporter::Finish() {
  {
    MutexLock lock(mutex_);
    finishing_ = true;
    changed_.NotifyAll();
  }
  if (writer_.joinable()) writer_.join();
  MutexLock lock(mutex_);
  // The writer has ended: nobody waits for the mutex during this one write.
  if (has_baseline_) {
    Count(sink_->Write(options_.database + std::string(kBaselineSuffix), baseline_.batch()), 1);
    has_baseline_ = false;
  }
  return tally_;
}

void RunReporter::WriteLoop() {
  model::BatchBuilder writing;
  while (true) {
    size_t rows = 0;
    {
      MutexLock lock(mutex_);
      while (filling_rows_ == 0 && !finishing_) changed_.Wait(mutex_);
      if (filling_rows_ == 0) return;
      std::swap(writing, filling_);
      rows = std::exchange(filling_rows_, 0);
    }
    const Result<model::WriteReport> written = sink_->Write(options_.database, writing.batch());
    writing.Clear();
    timespec cpu{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    writer_cpu_ns_.store(int64_t{cpu.tv_sec} * 1'000'000'000 + cpu.tv_nsec, std::memory_order_relaxed);
    MutexLock lock(mutex_);
    Count(written, rows);
  }
}

void RunReporter::Count(const Result<model::WriteReport>& written, size_t rows) {
  if (written.ok()) {
    tally_.rows_written += written->rows_written;
    tally_.rows_lost += written->rows_rejected;
    if (!written->rejections.empty()) tally_.last_error = written->rejections.back().error.message;
  } else {
    tally_.rows_lost += rows;
    tally_.last_error = written.error().message;
  }
}

}  // namespace tidemark::executor
