#include "executor/agent/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "executor/agent/attempt.h"
#include "executor/agent/process/output_file.h"
#include "executor/agent/process/task_mark.h"
#include "executor/telemetry/run_sampler.h"
#include "storage/base/mutex.h"
#include "storage/base/usable_cpus.h"

namespace tidemark::executor {
namespace {

// Steps of a task's progress that are worth a line in the stream.
constexpr double kProgressEventPercent = 10;

// An agent while it works; its facts and its free slots belong to the Runner's mutex.
struct Agent {
  StopSignal stop;
  AgentFacts facts{};
  size_t free_slots = 0;
  std::vector<pid_t> processes{};  // of its running tasks
};

std::vector<std::string> NamesOf(const Pipeline& pipeline) {
  std::vector<std::string> names;
  names.reserve(pipeline.tasks.size());
  for (const TaskSpec& task : pipeline.tasks) names.push_back(task.name);
  return names;
}

// One run from start to end.
class Runner {
 public:
  Runner(const Pipeline& pipeline, const RunOptions& options, RunFacts run)
      : pipeline_(pipeline),
        output_stems_(OutputStems(NamesOf(pipeline))),
        options_(options),
        clock_(*options.clock),
        run_(std::move(run)),
        started_ns_(clock_.SteadyNs()),
        reporter_({.database = options.database}, run_, options.sink, clock_),
        schedule_(pipeline, options.known_durations),
        ready_after_ns_(pipeline.tasks.size(), 0) {}

  RunReport Finish(std::vector<Agent> agents, std::vector<InterruptedRun> interrupted);
  void Keep(RunJournal journal) TM_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    journal_.emplace(std::move(journal));
  }

 private:
  // One slot of an agent; the first one makes the agent ready.
  void SlotMain(Agent& agent, bool first, int64_t asked_ns);
  // Takes mutex_ and adds what that took to the agent's lock_wait_ns.
  void LockFor(Agent& agent) TM_ACQUIRE(mutex_);
  [[nodiscard]] size_t SlotsOf(size_t task) const { return std::min(pipeline_.tasks[task].slots, run_.slots); }
  // All attempts at one task.
  void RunTask(size_t index, Agent& agent, int64_t asked_ns);
  TaskFacts RunAttempt(const TaskSpec& task, TaskFacts facts, Agent& agent, int64_t asked_ns);
  std::vector<AgentProcesses> ProcessesOf(const std::vector<Agent>& agents);
  void ReportInterrupted(const InterruptedRun& run);
  void Settle(size_t index, const TaskFacts& last);
  std::vector<TaskFacts> RecordSkipped(const std::vector<size_t>& tasks, const std::string& why) TM_REQUIRES(mutex_);
  void ObserveEnds(const std::vector<TaskFacts>& tasks);
  void RecordAttempt(const TaskFacts& facts);
  void ReportProgress() TM_REQUIRES(mutex_);
  void CountRunning(int change) TM_REQUIRES(mutex_);
  void Observe(const std::function<void(RunObserver&)>& call);
  [[nodiscard]] RunTotals Totals(int64_t duration_ns) const TM_REQUIRES(mutex_);
  [[nodiscard]] int64_t SinceStart() const { return clock_.SteadyNs() - started_ns_; }

  const Pipeline& pipeline_;
  const std::vector<std::string> output_stems_;  // by task
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
  int64_t serial_ns_ TM_GUARDED_BY(mutex_) = 0;  // with at most one task running
  int64_t counted_ns_ TM_GUARDED_BY(mutex_) = 0;
  std::optional<RunJournal> journal_ TM_GUARDED_BY(mutex_);
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

void Runner::ReportInterrupted(const InterruptedRun& run) {
  std::string running;
  for (const std::string& task : run.running) running += (running.empty() ? "" : ", ") + task;
  reporter_.Interrupted(run.run_id, run.pipeline, run.started_at_ns, run.tasks, run.tasks_ended);
  reporter_.Event(EventLevel::kWarning, "", "",
                  fmt::format("System: run {} of {} was interrupted after {} of {} tasks; running: {}; {} processes "
                              "of it were still there and were killed",
                              run.run_id, run.pipeline, run.tasks_ended, run.tasks, running.empty() ? "none" : running,
                              run.killed));
}

RunReport Runner::Finish(std::vector<Agent> agents, std::vector<InterruptedRun> interrupted) {
  for (const InterruptedRun& run : interrupted) ReportInterrupted(run);
  reporter_.Event(
      EventLevel::kInfo, "", "",
      fmt::format("run of {} started: {} tasks, {} agents", pipeline_.name, pipeline_.tasks.size(), agents.size()));
  Observe([this](RunObserver& observer) { observer.OnRunStart(run_); });
  {
    MutexLock lock(mutex_);
    ReportProgress();
  }
  std::optional<RunSampler> sampler;
  {
    // Before the agents: a run that is cancelled before it begins starts no task.
    const std::stop_callback on_stop(options_.stop_token, [&] {
      MutexLock lock(mutex_);
      stopped_ = true;
      for (Agent& agent : agents) agent.stop.Raise();
      changed_.NotifyAll();
    });
    if (options_.sink != nullptr && options_.sample_period_ns > 0) {
      sampler.emplace(
          RunSamplerOptions{.period_ns = options_.sample_period_ns,
                            .memory_budget_bytes = options_.memory_budget_bytes},
          reporter_, [this, &agents] { return ProcessesOf(agents); }, clock_, started_ns_);
      sampler->Start();
    }
    std::vector<std::jthread> slots;
    for (Agent& agent : agents) {
      agent.free_slots = run_.slots;
      for (size_t i = 0; i < run_.slots; ++i) {
        const int64_t asked_ns = clock_.SteadyNs();
        slots.emplace_back([this, &agent, i, asked_ns] { SlotMain(agent, i == 0, asked_ns); });
      }
    }
    for (std::jthread& slot : slots) slot.join();
  }
  const int64_t duration_ns = SinceStart();
  const SampledTotals sampled = sampler ? sampler->Stop() : SampledTotals();
  if (options_.adopt_orphans) KillDescendants();
  std::vector<TaskFacts> skipped;
  {
    MutexLock lock(mutex_);
    skipped = RecordSkipped(schedule_.SkipAll(), "the run was cancelled");
    ReportProgress();
  }
  ObserveEnds(skipped);
  MutexLock lock(mutex_);
  journal_.reset();
  report_.run = run_;
  report_.interrupted = std::move(interrupted);
  for (const Agent& agent : agents) {
    report_.agents.push_back(agent.facts);
    reporter_.AgentEnd(agent.facts, duration_ns * static_cast<int64_t>(run_.slots));
  }
  report_.totals = Totals(duration_ns);
  report_.totals.io_wait = sampled.io_wait;
  report_.totals.peak_rss_bytes = sampled.peak_rss_bytes;
  const RunTotals& totals = report_.totals;
  std::string durations;
  for (const TaskFacts& task : report_.tasks) {
    if (task.outcome != Outcome::kSucceeded) continue;
    durations += fmt::format("{}{}={:.6f}", durations.empty() ? "" : " ", task.task,
                             static_cast<double>(task.duration_ns) / 1e9);
  }
  reporter_.End(totals, durations);
  if (totals.outcome != Outcome::kCancelled) {
    const bool passed = totals.outcome == Outcome::kSucceeded;
    reporter_.Event(
        passed && totals.gates_warned == 0 ? EventLevel::kInfo
        : passed                           ? EventLevel::kWarning
                                           : EventLevel::kError,
        "", "",
        fmt::format("System: quality gate {}: {} passed, {} warned, {} failed", passed ? "PASSED" : "FAILED",
                    totals.gates_passed, totals.gates_warned, totals.gates_failed));
  }
  reporter_.Event(totals.outcome == Outcome::kSucceeded ? EventLevel::kInfo : EventLevel::kError, "", "",
                  fmt::format("run of {} {} in {}", pipeline_.name, Name(totals.outcome), ToText(duration_ns)));
  report_.reports = reporter_.Finish();
  return std::move(report_);
}

std::vector<AgentProcesses> Runner::ProcessesOf(const std::vector<Agent>& agents) {
  MutexLock lock(mutex_);
  std::vector<AgentProcesses> processes;
  processes.reserve(agents.size());
  for (const Agent& agent : agents) processes.push_back({agent.facts.agent, agent.processes});
  return processes;
}

void Runner::LockFor(Agent& agent) {
  const int64_t before_ns = clock_.SteadyNs();
  mutex_.Lock();
  agent.facts.lock_wait_ns += clock_.SteadyNs() - before_ns;
}

void Runner::SlotMain(Agent& agent, bool first, int64_t asked_ns) {
  const int64_t start_ns = clock_.SteadyNs() - asked_ns;
  LockFor(agent);
  if (first) {
    agent.facts.start_ns = start_ns;
    // From here on it hears of tasks and of the end.
    agent.facts.channel_setup_ns = clock_.SteadyNs() - asked_ns - start_ns;
    reporter_.AgentReady(agent.facts);
  }
  while (true) {
    // With nothing ready and nothing running, nothing can become ready. A task that needs more slots than are free here
    // is not overtaken by a smaller one, which would make it wait for ever.
    while (!stopped_ && (schedule_.ready() > 0 ? SlotsOf(schedule_.Next()) > agent.free_slots : running_ > 0)) {
      changed_.Wait(mutex_);
    }
    if (stopped_ || schedule_.ready() == 0) break;
    const size_t task = schedule_.Take();
    const size_t slots = SlotsOf(task);
    agent.free_slots -= slots;
    CountRunning(+1);
    if (journal_) journal_->TaskStarted(pipeline_.tasks[task].name);
    ReportProgress();
    // The next task may fit somewhere where this one did not.
    if (schedule_.ready() > 0) changed_.NotifyAll();
    mutex_.Unlock();
    RunTask(task, agent, asked_ns);
    LockFor(agent);
    agent.free_slots += slots;
    changed_.NotifyAll();
  }
  mutex_.Unlock();
}

void Runner::CountRunning(int change) {
  const int64_t now_ns = SinceStart();
  if (running_ <= 1) serial_ns_ += now_ns - counted_ns_;
  counted_ns_ = now_ns;
  running_ += static_cast<size_t>(change);
}

void Runner::RunTask(size_t index, Agent& agent, int64_t asked_ns) {
  const TaskSpec& task = pipeline_.tasks[index];
  TaskFacts base;
  base.task = task.name;
  base.kind = task.kind;
  base.slots = SlotsOf(index);
  {
    MutexLock lock(mutex_);
    base.agent = agent.facts.agent;
    base.ready_after_ns = ready_after_ns_[index];
  }
  for (base.attempt = 1;; ++base.attempt) {
    const int64_t begin_ns = clock_.SteadyNs();
    TaskFacts facts = RunAttempt(task, base, agent, asked_ns);
    facts.last_attempt = facts.outcome == Outcome::kSucceeded || facts.outcome == Outcome::kCancelled ||
                         base.attempt > task.retries || agent.stop.raised();
    LockFor(agent);
    agent.facts.busy_ns += (clock_.SteadyNs() - begin_ns) * static_cast<int64_t>(base.slots);
    ++agent.facts.attempts;
    mutex_.Unlock();
    RecordAttempt(facts);
    if (facts.last_attempt) {
      Settle(index, facts);
      return;
    }
    base.ready_after_ns = SinceStart();
  }
}

TaskFacts Runner::RunAttempt(const TaskSpec& task, TaskFacts facts, Agent& agent, int64_t asked_ns) {
  facts.started_after_ns = SinceStart();
  const std::string again = facts.attempt > 1 ? fmt::format(" (attempt {})", facts.attempt) : "";
  reporter_.Event(EventLevel::kInfo, facts.agent, task.kind,
                  fmt::format("{}: starting {}{}", facts.agent, task.name, again));
  Observe([&](RunObserver& observer) { observer.OnTaskStart(facts); });
  double told = 0;
  pid_t process = 0;
  const AttemptEvents events{
      .on_started =
          [&](pid_t pid) {
            MutexLock lock(mutex_);
            process = pid;
            if (pid > 0) agent.processes.push_back(pid);
            if (agent.facts.first_task_ns >= 0) return;
            agent.facts.first_task_ns = clock_.SteadyNs() - asked_ns;
            reporter_.AgentFirstTask(agent.facts);
          },
      .on_output = [&](std::string_view bytes) { Observe([&](RunObserver& o) { o.OnTaskOutput(facts, bytes); }); },
      .on_progress =
          [&](double percent) {
            reporter_.TaskProgress(facts, percent);
            Observe([&](RunObserver& observer) { observer.OnTaskProgress(facts, percent); });
            if (percent < told + kProgressEventPercent && percent >= told) return;
            told = percent;
            reporter_.Event(EventLevel::kInfo, facts.agent, task.kind,
                            fmt::format("{}: {} in progress... {:.0f}%", facts.agent, task.name, percent));
          },
      .on_trouble =
          [&](const std::string& text) { reporter_.Event(EventLevel::kWarning, facts.agent, task.kind, text); }};
  const AttemptSettings settings{
      .grace_ns = options_.grace_ns,
      .output_tail_bytes = options_.output_tail_bytes,
      .output_directory = options_.output_directory,
      .output_stem = output_stems_[static_cast<size_t>(&task - pipeline_.tasks.data())],
      .output_file_bytes = options_.output_file_bytes,
      .mark = fmt::format("{}|{}|{}", run_.run_id, &task - pipeline_.tasks.data(), facts.attempt)};
  // A copy: the events go on naming the task by theirs.
  TaskFacts ended = Attempt(task, facts, settings, clock_, agent.stop, events);
  ended.duration_ns = SinceStart() - facts.started_after_ns;
  if (process > 0) {
    MutexLock lock(mutex_);
    std::erase(agent.processes, process);
  }
  return ended;
}

// As in "unit failed", "unit was cancelled".
std::string Verb(const TaskFacts& facts) {
  return fmt::format("{}{}", facts.outcome == Outcome::kCancelled ? "was " : "", Name(facts.outcome));
}

std::string Describe(const TaskFacts& facts) {
  const std::string after = ToText(facts.duration_ns);
  switch (facts.outcome) {
    case Outcome::kSucceeded: {
      const std::string found = facts.gate && !facts.gate->reason.empty() ? ", " + facts.gate->reason : "";
      const bool warns = facts.gate && facts.gate->status == GateStatus::kWarn;
      return fmt::format("{} completed in {}{}{}", facts.task, after, found, warns ? " (WARN)" : "");
    }
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
  const bool warns = facts.gate && facts.gate->status == GateStatus::kWarn;
  const EventLevel level = facts.outcome == Outcome::kSucceeded ? (warns ? EventLevel::kWarning : EventLevel::kInfo)
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
    CountRunning(-1);
    ++complete_;
    if (journal_) journal_->TaskEnded(last.task);
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
    totals.max_rss_bytes = std::max(totals.max_rss_bytes, task.max_rss_bytes);
    totals.cpu_ns += task.user_cpu_ns + task.system_cpu_ns;
    by_task[task.task] += task.duration_ns;
    if (!task.last_attempt) continue;
    if (task.outcome != Outcome::kCancelled && task.outcome != Outcome::kSkipped) {
      switch (GateOf(task).status) {
        case GateStatus::kPass: ++totals.gates_passed; break;
        case GateStatus::kWarn: ++totals.gates_warned; break;
        case GateStatus::kFail: ++totals.gates_failed; break;
      }
    }
    switch (task.outcome) {
      case Outcome::kSucceeded: ++totals.succeeded; break;
      case Outcome::kFailed: ++totals.failed; break;
      case Outcome::kTimedOut: ++totals.timed_out; break;
      case Outcome::kCancelled: ++totals.cancelled; break;
      case Outcome::kSkipped: ++totals.skipped; break;
    }
  }
  std::vector<int64_t> durations;
  durations.reserve(pipeline_.tasks.size());
  for (const TaskSpec& task : pipeline_.tasks) durations.push_back(by_task[task.name]);
  totals.critical_path_ns = CriticalPath(pipeline_, durations);
  if (totals.failed + totals.timed_out > 0) {
    totals.outcome = Outcome::kFailed;
  } else if (totals.cancelled + totals.skipped > 0) {
    totals.outcome = Outcome::kCancelled;
  }
  if (duration_ns > 0) {
    const auto duration = static_cast<double>(duration_ns);
    const auto cores = static_cast<double>(report_.agents.size() * run_.slots);
    int64_t busy_ns = 0, lock_wait_ns = 0;
    for (const AgentFacts& agent : report_.agents) {
      busy_ns += agent.busy_ns;
      lock_wait_ns += agent.lock_wait_ns;
    }
    totals.sequential_measured = options_.baseline_ns > 0;
    totals.sequential_ns = totals.sequential_measured ? options_.baseline_ns : totals.work_ns;
    totals.speedup = static_cast<double>(totals.sequential_ns) / duration;
    totals.efficiency = totals.speedup / cores;
    totals.agents_busy = static_cast<double>(busy_ns) / (cores * duration);
    totals.utilisation = static_cast<double>(totals.cpu_ns) / (cores * duration);
    totals.lock_contention = static_cast<double>(lock_wait_ns) / (cores * duration);
    totals.serial_share = static_cast<double>(serial_ns_ + (running_ <= 1 ? duration_ns - counted_ns_ : 0)) / duration;
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
  const size_t count = std::min(wanted, pipeline.tasks.size());
  std::vector<Agent> agents;
  for (size_t i = 0; i < count; ++i) {
    TM_TRY_ASSIGN(StopSignal stop, StopSignal::Make());
    agents.push_back({.stop = std::move(stop)});
    agents.back().facts.agent = fmt::format("Agent-{}", i + 1);
  }
  const int64_t now_ns = options.clock->NowNs();
  RunFacts run{.run_id = options.run_id.empty() ? NewRunId(now_ns) : options.run_id,
               .pipeline = pipeline.name,
               .mode = options.sequential ? "sequential" : "parallel",
               .labels = options.labels,
               .agents = count,
               .slots = options.sequential ? 1 : std::max<size_t>(1, options.slots),
               .tasks = pipeline.tasks.size(),
               .started_at_ns = now_ns};
  if (options.adopt_orphans) AdoptOrphans();
  std::vector<InterruptedRun> interrupted;
  std::optional<RunJournal> journal;
  if (!options.state_directory.empty()) {
    interrupted = TakeInterruptedRuns(options.state_directory);
    TM_TRY_ASSIGN(RunJournal created,
                  RunJournal::Create(options.state_directory, pipeline.name, run.run_id, now_ns, run.tasks));
    journal.emplace(std::move(created));
  }
  Runner runner(pipeline, options, std::move(run));
  if (journal) runner.Keep(std::move(*journal));
  return runner.Finish(std::move(agents), std::move(interrupted));
}

}  // namespace tidemark::executor
