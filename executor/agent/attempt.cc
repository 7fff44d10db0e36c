#include "executor/agent/attempt.h"

#include <fmt/core.h>
#include <glob.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <exception>
#include <optional>

#include "executor/agent/pipeline/gate.h"
#include "executor/agent/pipeline/progress.h"
#include "executor/agent/process/output_file.h"
#include "executor/agent/process/output_tail.h"
#include "executor/agent/process/task_mark.h"

namespace tidemark::executor {
namespace {

// Where everything goes that a task writes.
class Output {
 public:
  Output(const TaskSpec& task, const TaskFacts& facts, const AttemptSettings& settings, const AttemptEvents& events)
      : events_(events), tail_(settings.output_tail_bytes), progress_(task.progress) {
    if (task.gate) gate_.emplace(*task.gate);
    if (settings.output_directory.empty()) return;
    Result<OutputFile> created =
        OutputFile::Create(settings.output_directory, settings.output_stem, facts.attempt, settings.output_file_bytes);
    if (created.ok()) {
      file_.emplace(std::move(*created));
    } else if (events.on_trouble) {
      events.on_trouble(created.error().message);
    }
  }

  void Append(std::string_view bytes) {
    tail_.Append(bytes);
    if (file_) file_->Append(bytes);
    if (gate_) gate_->Append(bytes);
    if (events_.on_output) events_.on_output(bytes);
    if (const auto percent = progress_.Append(bytes); percent) Progress(*percent);
  }

  void Progress(double percent) {
    percent_ = percent;
    if (events_.on_progress) events_.on_progress(percent);
  }

  // The gate's file is read under the task's own limits: what keeps it from being read ends the attempt.
  void Finish(const TaskSpec& task, TaskFacts& facts, const Clock& clock, const StopSignal& stop, int64_t deadline_ns) {
    facts.output_bytes = tail_.total_bytes();
    facts.output_tail = tail_.Text();
    facts.progress_percent = percent_;
    if (file_) {
      const Result<void> closed = file_->Close();
      if (!closed.ok() && events_.on_trouble) events_.on_trouble(closed.error().message);
    }
    // What did not end by itself has not written all of it.
    if (!gate_ || facts.outcome != Outcome::kSucceeded) return;
    const auto timed_out = [&] { return deadline_ns > 0 && clock.SteadyNs() >= deadline_ns; };
    bool went_on = true;
    facts.gate = gate_->Finish(task.working_directory, [&] { return went_on = !stop.raised() && !timed_out(); });
    if (facts.gate->status != GateStatus::kFail) return;
    facts.outcome = went_on ? Outcome::kFailed : stop.raised() ? Outcome::kCancelled : Outcome::kTimedOut;
    facts.error = "gate: " + facts.gate->reason;
  }

 private:
  const AttemptEvents& events_;
  OutputTail tail_;
  ProgressReader progress_;
  std::optional<OutputFile> file_;
  std::optional<GateReader> gate_;
  double percent_ = -1;
};

// Counts what the patterns name. An Error names the first pattern without a file.
Result<void> CountInputs(const TaskSpec& task, TaskFacts& facts) {
  for (const std::string& pattern : task.inputs) {
    const std::string path =
        pattern.starts_with('/') || task.working_directory.empty() ? pattern : task.working_directory + "/" + pattern;
    glob_t found{};
    const int code = glob(path.c_str(), GLOB_NOSORT, nullptr, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; ++i) {
      struct stat status{};
      if (stat(found.gl_pathv[i], &status) != 0) continue;
      ++facts.input_files;
      if (S_ISREG(status.st_mode)) facts.input_bytes += static_cast<uint64_t>(status.st_size);
    }
    globfree(&found);
    if (code == GLOB_NOMATCH) return NotFound(fmt::format("the input {} is missing", path));
    if (code != 0) return IoError(fmt::format("the input {} cannot be looked for", path));
  }
  return {};
}

void RunInChild(const TaskSpec& task, TaskFacts& facts, const AttemptSettings& settings, const Clock& clock,
                const StopSignal& stop, const AttemptEvents& events, Output& output) {
  Environment environment = task.environment;
  environment.emplace_back(kMarkVariable, MarkValue(settings.mark));
  const ProcessSpec spec{.command = task.command,
                         .environment = MergedEnvironment(environment),
                         .working_directory = task.working_directory,
                         .timeout_ns = task.timeout_ns,
                         .grace_ns = settings.grace_ns,
                         .mark = settings.mark};
  const Result<ProcessResult> result = RunProcess(
      spec, clock, stop,
      {.on_started = events.on_started, .on_output = [&output](std::string_view bytes) { output.Append(bytes); }});
  if (!result.ok()) {
    facts.outcome = Outcome::kFailed;
    facts.error = result.error().message;
    return;
  }
  facts.exit_code = result->exit_code;
  facts.signal = result->signal;
  facts.killed = result->killed;
  facts.escaped = result->escaped;
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
}

class FunctionContext final : public TaskContext {
 public:
  FunctionContext(Output& output, const Clock& clock, const StopSignal& stop, int64_t timeout_ns)
      : output_(output), clock_(clock), stop_(stop), deadline_ns_(timeout_ns > 0 ? clock.SteadyNs() + timeout_ns : 0) {}

  void Print(std::string_view text) override { output_.Append(text); }
  void Progress(double percent) override {
    if (percent >= 0 && percent <= 100) output_.Progress(percent);
  }
  [[nodiscard]] bool stop_requested() const override { return stop_.raised() || timed_out(); }
  [[nodiscard]] bool timed_out() const { return deadline_ns_ > 0 && clock_.SteadyNs() >= deadline_ns_; }

 private:
  Output& output_;
  const Clock& clock_;
  const StopSignal& stop_;
  const int64_t deadline_ns_;
};

Result<void> Call(const TaskFunction& function, TaskContext& context) {
  try {
    return function(context);
  } catch (const std::exception& error) {
    return MakeError(ErrorCode::kInternal, fmt::format("exception: {}", error.what()));
  } catch (...) {
    return MakeError(ErrorCode::kInternal, "an exception that is no std::exception");
  }
}

int64_t ToNs(const timeval& time) { return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000; }

void RunInProcess(const TaskSpec& task, TaskFacts& facts, const Clock& clock, const StopSignal& stop,
                  const AttemptEvents& events, Output& output) {
  FunctionContext context(output, clock, stop, task.timeout_ns);
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  if (events.on_started) events.on_started(0);
  const Result<void> result = Call(task.function, context);
  getrusage(RUSAGE_THREAD, &after);
  facts.user_cpu_ns = ToNs(after.ru_utime) - ToNs(before.ru_utime);
  facts.system_cpu_ns = ToNs(after.ru_stime) - ToNs(before.ru_stime);
  facts.read_bytes = int64_t{after.ru_inblock - before.ru_inblock} * 512;
  facts.written_bytes = int64_t{after.ru_oublock - before.ru_oublock} * 512;
  if (result.ok() && !context.timed_out()) {
    facts.outcome = Outcome::kSucceeded;
    facts.exit_code = 0;
    return;
  }
  if (!result.ok()) facts.error = result.error().message;
  facts.outcome = stop.raised() ? Outcome::kCancelled : context.timed_out() ? Outcome::kTimedOut : Outcome::kFailed;
}

}  // namespace

TaskFacts Attempt(const TaskSpec& task, TaskFacts facts, const AttemptSettings& settings, const Clock& clock,
                  const StopSignal& stop, const AttemptEvents& events) {
  if (const Result<void> inputs = CountInputs(task, facts); !inputs.ok()) {
    facts.outcome = Outcome::kFailed;
    facts.error = inputs.error().message;
    return facts;
  }
  Output output(task, facts, settings, events);
  const int64_t deadline_ns = task.timeout_ns > 0 ? clock.SteadyNs() + task.timeout_ns : 0;
  if (task.function) {
    RunInProcess(task, facts, clock, stop, events, output);
  } else {
    RunInChild(task, facts, settings, clock, stop, events, output);
  }
  output.Finish(task, facts, clock, stop, deadline_ns);
  return facts;
}

}  // namespace tidemark::executor
