#include "executor/agent/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <thread>

#include "executor/agent/output_file.h"
#include "executor/agent/output_tail.h"
#include "executor/agent/process.h"
#include "executor/pool/usable_cpus.h"
#include "storage/base/mutex.h"

namespace tidemark::executor {
namespace {

std::string NewRunId(int64_t now_ns) {
  std::random_device random;
  return fmt::format("{:x}-{:08x}", now_ns, random());
}

// One run from start to end.
class Runner {
 public:
  Runner(const Pipeline& pipeline, const RunOptions& options, RunFacts run)
      : pipeline_(pipeline),
        options_(options),
        clock_(*options.clock),
        run_(std::move(run)),
        started_ns_(clock_.SteadyNs()),
        reporter_({.database = options.database}, run_, options.sink, clock_),
        schedule_(pipeline, options.known_durations),
        ready_after_ns_(pipeline.tasks.size(), 0) {}

  RunReport Finish(std::vector<StopSignal> stops);

 private:
  void AgentMain(size_t index, const StopSignal& stop, int64_t asked_ns);
  // All attempts at one task.
  void RunTask(size_t index, AgentFacts& agent, int64_t asked_ns, const StopSignal& stop);
  TaskFacts RunAttempt(const TaskSpec& task, TaskFacts facts, AgentFacts& agent, int64_t asked_ns,
                       const StopSignal& stop);
  void Settle(size_t index, const TaskFacts& last);
  std::vector<TaskFacts> RecordSkipped(const std::vector<size_t>& tasks, const std::string& why) TM_REQUIRES(mutex_);
  void ObserveEnds(const std::vector<TaskFacts>& tasks);
  void RecordAttempt(const TaskFacts& facts);
  void ReportProgress() TM_REQUIRES(mutex_);
  void Observe(const std::function<void(RunObserver&)>& call);
  [[nodiscard]] RunTotals Totals(int64_t duration_ns) const TM_REQUIRES(mutex_);
  [[nodiscard]] int64_t SinceStart() const { return clock_.SteadyNs() - started_ns_; }

  const Pipeline& pipeline_;
  const RunOptions& options_;
  const Clock& clock_;
  const RunFacts run_;
  const int64_t started_ns_;
  RunReporter reporter_;

  // Never taken while mutex_ is held: an observer may stop the run, which takes mutex_.
  Mutex observer_mutex_;

  Mutex mutex_;
  CondVar changed_;
  Schedule schedule_ TM_GUARDED_BY(mutex_);
  std::vector<int64_t> ready_after_ns_ TM_GUARDED_BY(mutex_);
  size_t running_ TM_GUARDED_BY(mutex_) = 0;
  size_t complete_ TM_GUARDED_BY(mutex_) = 0;
  bool stopped_ TM_GUARDED_BY(mutex_) = false;
  RunReport report_ TM_GUARDED_BY(mutex_);
};

void Runner::Observe(const std::function<void(RunObserver&)>& call) {
  if (options_.observer == nullptr) return;
  MutexLock lock(observer_mutex_);
  call(*options_.observer);
}

void Runner::ReportProgress() {
  reporter_.Progress({.running = running_, .queued = schedule_.queued(), .complete = complete_});
}

RunReport Runner::Finish(std::vector<StopSignal> stops) {
  reporter_.Event(
      EventLevel::kInfo, "", "",
      fmt::format("run of {} started: {} tasks, {} agents", pipeline_.name, pipeline_.tasks.size(), stops.size()));
  Observe([this](RunObserver& observer) { observer.OnRunStart(run_); });
  {
    MutexLock lock(mutex_);
    ReportProgress();
  }
  {
    // Before the agents: a run that is cancelled before it begins starts no task.
    const std::stop_callback on_stop(options_.stop_token, [&] {
      MutexLock lock(mutex_);
      stopped_ = true;
      for (StopSignal& stop : stops) stop.Raise();
      changed_.NotifyAll();
    });
    std::vector<std::jthread> agents;
    for (size_t i = 0; i < stops.size(); ++i) {
      const int64_t asked_ns = clock_.SteadyNs();
      agents.emplace_back([this, i, &stops, asked_ns] { AgentMain(i, stops[i], asked_ns); });
    }
    for (std::jthread& agent : agents) agent.join();
  }
  std::vector<TaskFacts> skipped;
  {
    MutexLock lock(mutex_);
    skipped = RecordSkipped(schedule_.SkipAll(), "the run was cancelled");
    ReportProgress();
  }
  ObserveEnds(skipped);
  MutexLock lock(mutex_);
  report_.run = run_;
  const int64_t duration_ns = SinceStart();
  std::sort(report_.agents.begin(), report_.agents.end(), [](const AgentFacts& a, const AgentFacts& b) {
    return a.agent.size() != b.agent.size() ? a.agent.size() < b.agent.size() : a.agent < b.agent;
  });
  for (const AgentFacts& agent : report_.agents) reporter_.AgentEnd(agent, duration_ns);
  report_.totals = Totals(duration_ns);
  const RunTotals& totals = report_.totals;
  reporter_.End(totals);
  reporter_.Event(totals.outcome == Outcome::kSucceeded ? EventLevel::kInfo : EventLevel::kError, "", "",
                  fmt::format("run of {} {} in {}", pipeline_.name, Name(totals.outcome), ToText(duration_ns)));
  report_.reports = reporter_.Finish();
  return std::move(report_);
}

void Runner::AgentMain(size_t index, const StopSignal& stop, int64_t asked_ns) {
  AgentFacts agent;
  agent.agent = fmt::format("Agent-{}", index + 1);
  agent.start_ns = clock_.SteadyNs() - asked_ns;
  mutex_.Lock();
  // From here on it hears of tasks and of the end.
  agent.channel_setup_ns = clock_.SteadyNs() - asked_ns - agent.start_ns;
  reporter_.AgentReady(agent);
  while (true) {
    // With nothing ready and nothing running, nothing can become ready.
    while (!stopped_ && schedule_.ready() == 0 && running_ > 0) changed_.Wait(mutex_);
    if (stopped_ || schedule_.ready() == 0) break;
    const size_t task = schedule_.Take();
    ++running_;
    ReportProgress();
    mutex_.Unlock();
    RunTask(task, agent, asked_ns, stop);
    mutex_.Lock();
  }
  report_.agents.push_back(agent);
  mutex_.Unlock();
}

void Runner::RunTask(size_t index, AgentFacts& agent, int64_t asked_ns, const StopSignal& stop) {
  const TaskSpec& task = pipeline_.tasks[index];
  TaskFacts base;
  base.task = task.name;
  base.kind = task.kind;
  base.agent = agent.agent;
  {
    MutexLock lock(mutex_);
    base.ready_after_ns = ready_after_ns_[index];
  }
  for (base.attempt = 1;; ++base.attempt) {
    const int64_t begin_ns = clock_.SteadyNs();
    TaskFacts facts = RunAttempt(task, base, agent, asked_ns, stop);
    agent.busy_ns += clock_.SteadyNs() - begin_ns;
    ++agent.attempts;
    facts.last_attempt = facts.outcome == Outcome::kSucceeded || facts.outcome == Outcome::kCancelled ||
                         base.attempt > task.retries || stop.raised();
    RecordAttempt(facts);
    if (facts.last_attempt) {
      Settle(index, facts);
      return;
    }
    base.ready_after_ns = SinceStart();
  }
}

TaskFacts Runner::RunAttempt(const TaskSpec& task, TaskFacts facts, AgentFacts& agent, int64_t asked_ns,
                             const StopSignal& stop) {
  facts.started_after_ns = SinceStart();
  Observe([&](RunObserver& observer) { observer.OnTaskStart(facts); });
  OutputTail tail(options_.output_tail_bytes);
  std::optional<OutputFile> file;
  if (!options_.output_directory.empty()) {
    Result<OutputFile> created =
        OutputFile::Create(options_.output_directory, task.name, facts.attempt, options_.output_file_bytes);
    if (created.ok()) {
      file.emplace(std::move(*created));
    } else {
      reporter_.Event(EventLevel::kWarning, agent.agent, task.kind, created.error().message);
    }
  }
  ProcessEvents events;
  events.on_started = [&](pid_t) {
    if (agent.first_task_ns >= 0) return;
    agent.first_task_ns = clock_.SteadyNs() - asked_ns;
    reporter_.AgentFirstTask(agent);
  };
  events.on_output = [&](std::string_view bytes) {
    tail.Append(bytes);
    if (file) file->Append(bytes);
    Observe([&](RunObserver& observer) { observer.OnTaskOutput(facts, bytes); });
  };
  const ProcessSpec spec{.command = task.command,
                         .environment = MergedEnvironment(task.environment),
                         .working_directory = task.working_directory,
                         .timeout_ns = task.timeout_ns,
                         .grace_ns = options_.grace_ns};
  const Result<ProcessResult> result = RunProcess(spec, clock_, stop, events);
  facts.duration_ns = SinceStart() - facts.started_after_ns;
  facts.output_bytes = tail.total_bytes();
  facts.output_tail = tail.Text();
  if (file) {
    if (const Result<void> closed = file->Close(); !closed.ok()) {
      reporter_.Event(EventLevel::kWarning, agent.agent, task.kind, closed.error().message);
    }
  }
  if (!result.ok()) {
    facts.outcome = Outcome::kFailed;
    facts.error = result.error().message;
    return facts;
  }
  facts.exit_code = result->exit_code;
  facts.signal = result->signal;
  facts.killed = result->killed;
  facts.user_cpu_ns = result->user_cpu_ns;
  facts.system_cpu_ns = result->system_cpu_ns;
  facts.max_rss_bytes = result->max_rss_bytes;
  facts.read_bytes = result->read_bytes;
  facts.written_bytes = result->written_bytes;
  switch (result->end) {
    case ProcessResult::End::kExited:
      facts.outcome = facts.exit_code == 0 ? Outcome::kSucceeded : Outcome::kFailed;
      break;
    case ProcessResult::End::kSignalled: facts.outcome = Outcome::kFailed; break;
    case ProcessResult::End::kTimedOut: facts.outcome = Outcome::kTimedOut; break;
    case ProcessResult::End::kCancelled: facts.outcome = Outcome::kCancelled; break;
  }
  return facts;
}

// As in "unit failed", "unit was cancelled".
std::string Verb(const TaskFacts& facts) {
  return fmt::format("{}{}", facts.outcome == Outcome::kCancelled ? "was " : "", Name(facts.outcome));
}

std::string Describe(const TaskFacts& facts) {
  const std::string after = ToText(facts.duration_ns);
  switch (facts.outcome) {
    case Outcome::kSucceeded: return fmt::format("{} completed in {}", facts.task, after);
    case Outcome::kTimedOut: return fmt::format("{} timed out after {}", facts.task, after);
    case Outcome::kCancelled: return fmt::format("{} cancelled after {}", facts.task, after);
    case Outcome::kSkipped: return fmt::format("{} skipped: {}", facts.task, facts.error);
    case Outcome::kFailed: break;
  }
  if (!facts.error.empty()) return fmt::format("{} failed: {}", facts.task, facts.error);
  if (facts.signal != 0) return fmt::format("{} failed after {}: signal {}", facts.task, after, facts.signal);
  return fmt::format("{} failed after {}: exit code {}", facts.task, after, facts.exit_code);
}

void Runner::RecordAttempt(const TaskFacts& facts) {
  reporter_.Task(facts);
  const EventLevel level = facts.outcome == Outcome::kSucceeded ? EventLevel::kInfo
                           : facts.last_attempt                 ? EventLevel::kError
                                                                : EventLevel::kWarning;
  reporter_.Event(level, facts.agent, facts.kind, fmt::format("{}: {}", facts.agent, Describe(facts)));
  Observe([&](RunObserver& observer) { observer.OnTaskEnd(facts); });
  MutexLock lock(mutex_);
  report_.tasks.push_back(facts);
  // Thousands of tasks may succeed, and nobody asks what they said.
  if (facts.outcome == Outcome::kSucceeded) report_.tasks.back().output_tail = std::string();
}

void Runner::Settle(size_t index, const TaskFacts& last) {
  std::vector<TaskFacts> skipped;
  {
    MutexLock lock(mutex_);
    --running_;
    ++complete_;
    if (last.outcome == Outcome::kSucceeded) {
      for (const size_t task : schedule_.Succeeded(index)) ready_after_ns_[task] = SinceStart();
    } else {
      skipped = RecordSkipped(schedule_.Failed(index), fmt::format("it needs {}, which {}", last.task, Verb(last)));
      if (options_.fail_fast && last.outcome != Outcome::kCancelled) {
        const std::vector<TaskFacts> others =
            RecordSkipped(schedule_.SkipAll(), fmt::format("{} {}", last.task, Verb(last)));
        skipped.insert(skipped.end(), others.begin(), others.end());
      }
    }
    ReportProgress();
    changed_.NotifyAll();
  }
  ObserveEnds(skipped);
}

std::vector<TaskFacts> Runner::RecordSkipped(const std::vector<size_t>& tasks, const std::string& why) {
  std::vector<TaskFacts> skipped;
  for (const size_t index : tasks) {
    TaskFacts facts;
    facts.task = pipeline_.tasks[index].name;
    facts.kind = pipeline_.tasks[index].kind;
    facts.error = why;
    ++complete_;
    reporter_.Task(facts);
    reporter_.Event(EventLevel::kWarning, "", facts.kind, Describe(facts));
    report_.tasks.push_back(facts);
    skipped.push_back(std::move(facts));
  }
  return skipped;
}

void Runner::ObserveEnds(const std::vector<TaskFacts>& tasks) {
  for (const TaskFacts& facts : tasks) {
    Observe([&](RunObserver& observer) { observer.OnTaskEnd(facts); });
  }
}

RunTotals Runner::Totals(int64_t duration_ns) const {
  RunTotals totals;
  totals.duration_ns = duration_ns;
  std::map<std::string_view, int64_t> by_task;
  for (const TaskFacts& task : report_.tasks) {
    totals.work_ns += task.duration_ns;
    totals.cpu_ns += task.user_cpu_ns + task.system_cpu_ns;
    by_task[task.task] += task.duration_ns;
    if (!task.last_attempt) continue;
    switch (task.outcome) {
      case Outcome::kSucceeded: ++totals.succeeded; break;
      case Outcome::kFailed: ++totals.failed; break;
      case Outcome::kTimedOut: ++totals.timed_out; break;
      case Outcome::kCancelled: ++totals.cancelled; break;
      case Outcome::kSkipped: ++totals.skipped; break;
    }
  }
  std::vector<int64_t> durations;
  for (const TaskSpec& task : pipeline_.tasks) durations.push_back(by_task[task.name]);
  totals.critical_path_ns = CriticalPath(pipeline_, durations);
  if (totals.failed + totals.timed_out > 0) {
    totals.outcome = Outcome::kFailed;
  } else if (totals.cancelled + totals.skipped > 0) {
    totals.outcome = Outcome::kCancelled;
  }
  if (duration_ns > 0) {
    const auto duration = static_cast<double>(duration_ns);
    const auto agents = static_cast<double>(report_.agents.size());
    int64_t busy_ns = 0;
    for (const AgentFacts& agent : report_.agents) busy_ns += agent.busy_ns;
    totals.speedup = static_cast<double>(totals.work_ns) / duration;
    totals.efficiency = totals.speedup / agents;
    totals.utilisation = static_cast<double>(busy_ns) / (agents * duration);
  }
  return totals;
}

}  // namespace

Result<RunReport> Run(const Pipeline& pipeline, const RunOptions& options) {
  TM_RETURN_IF_ERROR(pipeline.Check());
  TM_RETURN_IF_ERROR(RunReporter::CheckLabels(options.labels));
  if (!options.output_directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.output_directory, error);
    if (error) return IoError(fmt::format("{}: {}", options.output_directory, error.message()));
  }
  const size_t wanted = options.sequential ? 1 : options.agents > 0 ? options.agents : UsableCpus();
  const size_t agents = std::min(wanted, pipeline.tasks.size());
  std::vector<StopSignal> stops;
  for (size_t i = 0; i < agents; ++i) {
    TM_TRY_ASSIGN(StopSignal stop, StopSignal::Make());
    stops.push_back(std::move(stop));
  }
  const int64_t now_ns = options.clock->NowNs();
  RunFacts run{.run_id = options.run_id.empty() ? NewRunId(now_ns) : options.run_id,
               .pipeline = pipeline.name,
               .mode = options.sequential ? "sequential" : "parallel",
               .labels = options.labels,
               .agents = agents,
               .tasks = pipeline.tasks.size(),
               .started_at_ns = now_ns};
  return Runner(pipeline, options, std::move(run)).Finish(std::move(stops));
}

std::string ToText(int64_t duration_ns) {
  const double seconds = static_cast<double>(duration_ns) / 1e9;
  if (seconds < 0.001) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace tidemark::executor
