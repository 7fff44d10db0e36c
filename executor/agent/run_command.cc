#include "executor/agent/run_command.h"

#include <fmt/core.h>
#include <unistd.h>

#include <map>

#include "executor/agent/pipeline/pipeline_file.h"
#include "storage/base/text/terminal_text.h"

namespace tidemark::executor {
namespace {

// Into a file or a pipe everything goes as it came.
std::string Shown(std::FILE* out, const std::string& text) {
  return isatty(fileno(out)) == 1 ? text::TerminalText(text) : text;
}

class Narrator final : public RunObserver {
 public:
  Narrator(std::FILE* out, bool show_output) : out_(out), show_output_(show_output) {}

  void OnRunStart(const RunFacts& run) override {
    tasks_ = run.tasks;
    fmt::print(out_, "{}: {} tasks, {} agents ({})\n", run.pipeline, run.tasks, run.agents, run.mode);
    Flush();
  }

  void OnTaskStart(const TaskFacts& task) override {
    const std::string attempt = task.attempt > 1 ? fmt::format(" (attempt {})", task.attempt) : "";
    fmt::print(out_, "{:<9} {} ...{}\n", task.agent, Shown(task.task), attempt);
    Flush();
  }

  void OnTaskOutput(const TaskFacts& task, std::string_view bytes) override {
    if (!show_output_) return;
    std::string& line = open_lines_[task.task];
    for (size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
      line += bytes.substr(0, end);
      PrintLine(task.task, line);
      line.clear();
      bytes.remove_prefix(end + 1);
    }
    line += bytes;
    // A line without end must not grow without end.
    if (line.size() > kMaxLineBytes) {
      PrintLine(task.task, line);
      line.clear();
    }
    Flush();
  }

  void OnTaskEnd(const TaskFacts& task) override {
    if (const auto open = open_lines_.find(task.task); open != open_lines_.end()) {
      if (!open->second.empty()) PrintLine(task.task, open->second);
      open_lines_.erase(open);
    }
    switch (task.outcome) {
      case Outcome::kSucceeded:
        fmt::print(out_, "{:<9} {} completed in {}{}\n", task.agent, Shown(task.task), ToText(task.duration_ns),
                   HowFar(task));
        break;
      case Outcome::kSkipped:
        fmt::print(out_, "{:<9} {} skipped: {}{}\n", "-", Shown(task.task), Shown(task.error), HowFar(task));
        break;
      default:
        fmt::print(out_, "{:<9} {} {} after {}{}{}\n", task.agent, Shown(task.task), Name(task.outcome),
                   ToText(task.duration_ns), Shown(Reason(task)), HowFar(task));
        if (!show_output_) PrintTail(task);
    }
    Flush();
  }

 private:
  static constexpr size_t kMaxLineBytes = size_t{16} << 10;

  static std::string Reason(const TaskFacts& task) {
    if (!task.error.empty()) return ": " + task.error;
    if (task.signal != 0) return fmt::format(": signal {}", task.signal);
    return fmt::format(": exit code {}", task.exit_code);
  }

  // On a terminal, how many of all tasks have ended: `  [3/8]`. Into a file lines stay as they are.
  std::string HowFar(const TaskFacts& task) {
    if (task.last_attempt || task.outcome == Outcome::kSkipped) ++ended_;
    return isatty(fileno(out_)) == 1 ? fmt::format("  [{}/{}]", ended_, tasks_) : std::string();
  }

  void PrintLine(const std::string& task, const std::string& line) {
    fmt::print(out_, "{} | {}\n", Shown(task), Shown(line));
  }
  [[nodiscard]] std::string Shown(const std::string& text) const { return executor::Shown(out_, text); }

  void PrintTail(const TaskFacts& task) {
    std::string_view tail = task.output_tail;
    while (!tail.empty()) {
      const size_t end = std::min(tail.find('\n'), tail.size());
      PrintLine(task.task, std::string(tail.substr(0, end)));
      tail.remove_prefix(std::min(tail.size(), end + 1));
    }
  }

  // The reader may be a person, or a pipe that shows them.
  void Flush() { std::fflush(out_); }

  std::FILE* const out_;
  const bool show_output_;
  std::map<std::string, std::string> open_lines_;
  size_t tasks_ = 0;
  size_t ended_ = 0;
};

// With a comma behind it; nothing where there is none to tell.
std::string SpeedupText(const RunReport& report) {
  const RunTotals& totals = report.totals;
  if (totals.outcome == Outcome::kCancelled) return {};
  const bool estimated = !totals.sequential_measured && report.run.mode != "sequential";
  return fmt::format("speedup {:.2f}{} on {} agents, ", totals.speedup,
                     estimated ? " (an estimate: no sequential run was measured)" : "", report.run.agents);
}

void PrintSummary(std::FILE* out, const RunReport& report) {
  const RunTotals& totals = report.totals;
  fmt::print(out, "\n{} {} in {}: {} succeeded", report.run.pipeline, Name(totals.outcome), ToText(totals.duration_ns),
             totals.succeeded);
  if (totals.failed > 0) fmt::print(out, ", {} failed", totals.failed);
  if (totals.timed_out > 0) fmt::print(out, ", {} timed out", totals.timed_out);
  if (totals.cancelled > 0) fmt::print(out, ", {} cancelled", totals.cancelled);
  if (totals.skipped > 0) fmt::print(out, ", {} skipped", totals.skipped);
  fmt::print(out, "\nwork {}, critical path {}, {}agents busy {:.0f} %\n", ToText(totals.work_ns),
             ToText(totals.critical_path_ns), SpeedupText(report), totals.agents_busy * 100);
  if (totals.gates_warned + totals.gates_failed > 0) {
    for (const TaskFacts& task : report.tasks) {
      const GateFacts gate = GateOf(task);
      if (!task.last_attempt || gate.status == GateStatus::kPass || task.outcome == Outcome::kSkipped) continue;
      fmt::print(out, "gate of {}: {} ({})\n", Shown(out, task.task), Name(gate.status), Shown(out, gate.reason));
    }
  }
  for (const InterruptedRun& run : report.interrupted) {
    std::string running;
    for (const std::string& task : run.running) running += (running.empty() ? "" : ", ") + task;
    fmt::print(out, "run {} of {} was interrupted after {} of {} tasks; running: {}; {} left-over processes killed\n",
               run.run_id, run.pipeline, run.tasks_ended, run.tasks, running.empty() ? "none" : Shown(out, running),
               run.killed);
  }
  // Who takes them may not have brought them to a server yet, and says so himself when he could not.
  if (report.reports.rows_written > 0) fmt::print(out, "{} rows of reports\n", report.reports.rows_written);
  if (report.reports.rows_lost > 0) {
    fmt::print(out, "{} of {} reports were not written: {}\n", report.reports.rows_lost,
               report.reports.rows_lost + report.reports.rows_written, report.reports.last_error);
  }
  std::fflush(out);
}

}  // namespace

Result<RunReport> RunPipelineFile(const RunCommandOptions& options) {
  TM_TRY_ASSIGN(const Pipeline pipeline, LoadPipeline(options.file));
  return RunPipeline(pipeline, options);
}

Result<RunReport> RunPipeline(const Pipeline& pipeline, const RunCommandOptions& options) {
  Narrator narrator(options.out, options.show_output);
  RunOptions run = options.run;
  if (!options.quiet) run.observer = &narrator;
  TM_TRY_ASSIGN(RunReport report, Run(pipeline, run));
  if (!options.quiet) PrintSummary(options.out, report);
  return report;
}

int ExitCode(const RunReport& report) {
  switch (report.totals.outcome) {
    case Outcome::kSucceeded: return 0;
    case Outcome::kCancelled: return 130;
    default: return 1;
  }
}

Result<model::Label> ParseLabel(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size()) {
    return InvalidArgument(fmt::format("a label is written key=value, not \"{}\"", text));
  }
  return model::Label{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace tidemark::executor
