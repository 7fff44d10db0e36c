#include "tools/cli/exec/run_tasks.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tools/cli/exec/report_reader.h"
#include "tools/cli/time_text.h"

namespace tidemark::cli {
namespace {

using Place = std::pair<model::Labels, int64_t>;

// An id begins with the time of the run's start in nanoseconds (executor::NewRunId); others have none.
std::optional<int64_t> StartMs(std::string_view run_id) {
  int64_t start_ns = 0;
  const auto [end, error] = std::from_chars(run_id.data(), run_id.data() + run_id.size(), start_ns, 16);
  if (error != std::errc() || end == run_id.data() + run_id.size() || *end != '-' || start_ns < 1'000'000'000)
    return {};
  return start_ns / 1'000'000;
}

std::string LabelOf(const model::Labels& labels, std::string_view name) {
  for (const model::Label& label : labels) {
    if (label.name == name) return label.value;
  }
  return {};
}

}  // namespace

Result<std::vector<PastTask>> ReadRunTasks(ApiSource& api, const std::string& database, const std::string& run_id) {
  EventsAsked asked{.first_ms = StartMs(run_id)};
  std::vector<PastTask> tasks;
  TM_TRY_ASSIGN(const std::vector<PastEvent> ids, ReadEvents(api, database, "exec_task_run_id", asked));
  std::set<Place> own;
  for (const PastEvent& event : ids) {
    if (event.text == run_id) own.insert({event.labels, event.time_ms});
  }
  if (own.empty()) return tasks;
  asked.first_ms = own.begin()->second;
  asked.last_ms = asked.first_ms;
  for (const auto& [_, time_ms] : own) {
    asked.first_ms = std::min(*asked.first_ms, time_ms);
    asked.last_ms = std::max(*asked.last_ms, time_ms);
  }
  // Rows of progress have no outcome.
  TM_TRY_ASSIGN(const std::vector<PastEvent> outcomes, ReadEvents(api, database, "exec_task_outcome", asked));
  std::map<Place, size_t> places;
  for (const PastEvent& event : outcomes) {
    if (!own.contains({event.labels, event.time_ms})) continue;
    places[{event.labels, event.time_ms}] = tasks.size();
    tasks.push_back({.time_ms = event.time_ms,
                     .task = {},
                     .kind = LabelOf(event.labels, "kind"),
                     .outcome = event.text,
                     .agent = LabelOf(event.labels, "agent")});
  }
  TM_TRY_ASSIGN(const std::vector<PastEvent> names, ReadEvents(api, database, "exec_task_task", asked));
  for (const PastEvent& event : names) {
    if (const auto at = places.find({event.labels, event.time_ms}); at != places.end())
      tasks[at->second].task = event.text;
  }
  // Times here are whole milliseconds, cut, and rows lie behind them: the end is the next one.
  const int64_t end_ms = *asked.last_ms + 1;
  const std::string window = fmt::format("[{}ms]", end_ms - *asked.first_ms + 1);
  const auto fill = [&](const char* metric, const auto& take) -> Result<void> {
    TM_TRY_ASSIGN(Answer answer, Ask(api, database, metric + window, end_ms));
    for (AnswerSeries& series : answer.series) {
      std::erase_if(series.labels, [](const model::Label& label) { return label.name == "__name__"; });
      for (const AnswerPoint& point : series.points) {
        if (const auto at = places.find({series.labels, point.time_ms}); at != places.end())
          take(&tasks[at->second], ToDouble(point.value));
      }
    }
    return {};
  };
  TM_RETURN_IF_ERROR(fill("exec_task_duration_seconds", [](PastTask* task, double value) { task->seconds = value; }));
  TM_RETURN_IF_ERROR(
      fill("exec_task_last_attempt", [](PastTask* task, double value) { task->last_attempt = value != 0; }));
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const PastTask& a, const PastTask& b) { return a.time_ms < b.time_ms; });
  return tasks;
}

std::string RunTasksText(const std::vector<PastTask>& tasks) {
  size_t name = 4, kind = 4, agent = 5;
  std::map<std::string, std::map<std::string, int>> matrix;  // kind, agent
  std::set<std::string> agents;
  for (const PastTask& task : tasks) {
    name = std::max(name, task.task.size());
    kind = std::max(kind, task.kind.size());
    agent = std::max(agent, task.agent.size());
    if (!task.last_attempt || task.agent.empty()) continue;
    ++matrix[task.kind][task.agent];
    agents.insert(task.agent);
  }
  std::string out = fmt::format("{:<28}  {:<{}}  {:<{}}  {:<{}}  {:<9}  {:>10}\n", "ended", "task", name, "kind", kind,
                                "agent", agent, "outcome", "seconds");
  for (const PastTask& task : tasks) {
    out += fmt::format("{:<28}  {:<{}}  {:<{}}  {:<{}}  {:<9}  {:>10.3f}{}\n",
                       TimeWithZone(task.time_ms, TimeZone::kLocal), task.task, name, task.kind, kind,
                       task.agent.empty() ? "-" : task.agent, agent, task.outcome, task.seconds,
                       task.last_attempt ? "" : "  tried again");
  }
  if (matrix.empty()) return out;
  out += fmt::format("\n{:<{}}", "tasks", kind);
  for (const std::string& column : agents) out += fmt::format("  {:>{}}", column, agent);
  out += '\n';
  for (auto& [row, counts] : matrix) {
    out += fmt::format("{:<{}}", row, kind);
    for (const std::string& column : agents) out += fmt::format("  {:>{}}", counts[column], agent);
    out += '\n';
  }
  return out;
}

}  // namespace tidemark::cli
