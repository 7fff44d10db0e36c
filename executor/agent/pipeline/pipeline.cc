#include "executor/agent/pipeline/pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "executor/agent/pipeline/progress.h"

namespace tidemark::executor {

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '/' || c == ':';
  });
}

std::vector<size_t> FindCycle(const std::vector<TaskSpec>& tasks) {
  enum class Mark { kNew, kOnPath, kDone };
  std::vector<Mark> marks(tasks.size(), Mark::kNew);
  struct Step {
    size_t task;
    size_t next_need = 0;
  };
  for (size_t start = 0; start < tasks.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    // Not recursive: a file may hold a chain of any length.
    std::vector<Step> path{{start}};
    marks[start] = Mark::kOnPath;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next_need == tasks[step.task].needs.size()) {
        marks[step.task] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const size_t need = tasks[step.task].needs[step.next_need++];
      if (marks[need] == Mark::kOnPath) {
        std::vector<size_t> cycle;
        const auto first = std::find_if(path.begin(), path.end(), [&](const Step& on) { return on.task == need; });
        for (auto at = first; at != path.end(); ++at) cycle.push_back(at->task);
        cycle.push_back(need);
        return cycle;
      }
      if (marks[need] == Mark::kNew) {
        marks[need] = Mark::kOnPath;
        path.push_back({need});
      }
    }
  }
  return {};
}

Result<void> Pipeline::Check() const {
  if (!IsName(name)) return InvalidArgument(fmt::format("bad pipeline name \"{}\"", name));
  if (tasks.empty()) return InvalidArgument(fmt::format("pipeline \"{}\" has no tasks", name));
  std::set<std::string_view> names;
  for (const TaskSpec& task : tasks) {
    if (!IsName(task.name)) return InvalidArgument(fmt::format("bad task name \"{}\"", task.name));
    if (!IsName(task.kind)) return InvalidArgument(fmt::format("task \"{}\": bad kind \"{}\"", task.name, task.kind));
    if (!names.insert(task.name).second) return InvalidArgument(fmt::format("two tasks are named \"{}\"", task.name));
    if (task.command.empty() == !task.function) {
      return InvalidArgument(fmt::format("task \"{}\" has no command", task.name));
    }
    if (task.slots == 0) return InvalidArgument(fmt::format("task \"{}\" takes no slot", task.name));
    if (!task.progress.empty()) {
      const Result<void> checked = CheckProgress(task.progress);
      if (!checked.ok()) return checked.error().Within(fmt::format("task \"{}\"", task.name));
    }
    if (task.gate) {
      const Result<void> checked = task.gate->Check();
      if (!checked.ok()) return checked.error().Within(fmt::format("task \"{}\"", task.name));
    }
    if (task.retries < 0 || task.timeout_ns < 0) {
      return InvalidArgument(fmt::format("task \"{}\": retries and timeout must not be negative", task.name));
    }
    for (const size_t need : task.needs) {
      if (need >= tasks.size()) return InvalidArgument(fmt::format("task \"{}\" needs an unknown task", task.name));
    }
  }
  if (const std::vector<size_t> cycle = FindCycle(tasks); !cycle.empty()) {
    std::string names_on_it;
    for (const size_t task : cycle) names_on_it += (names_on_it.empty() ? "" : " -> ") + tasks[task].name;
    return InvalidArgument(fmt::format("tasks need each other in a circle: {}", names_on_it));
  }
  return {};
}

}  // namespace tidemark::executor
