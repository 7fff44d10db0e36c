// Executor: runs functions of a program as tasks of a pipeline, in parallel, with the reports of `tidemark exec`.
//
//   executor::Executor work("nightly");
//   const auto load = work.Add("load", "io", [&](TaskContext&) { return Load(); });
//   work.Add("index", "cpu", [&](TaskContext& context) { context.Progress(50); return Index(); }, {load});
//   work.AddCommand("pack", "io", {"tar", "cf", "out.tar", "out"}, {load});
//   TM_TRY_ASSIGN(const RunReport report, work.Run({.agents = 4, .sink = &sink}));
//
// Reports go to any PointSink: the store's write path in process, or a client that sends them to a server. What a
// TaskSpec has beyond these calls (retries, timeout, gate, slots) is set through task(id). Not thread-safe; Run leaves
// the tasks as they are, so that they can be run again.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executor/agent/pipeline/pipeline.h"
#include "executor/agent/run.h"

namespace tidemark::executor {

class Executor {
 public:
  // `pipeline`: the tag of all reports; a name (IsName).
  explicit Executor(std::string_view pipeline) { pipeline_.name = pipeline; }

  // Names one task of this Executor, for the needs of others.
  struct TaskId {
    size_t index = 0;
  };

  TaskId Add(std::string_view name, std::string_view kind, TaskFunction function,
             const std::vector<TaskId>& needs = {}) {
    return AddSpec(name, kind, {}, std::move(function), needs);
  }
  TaskId AddCommand(std::string_view name, std::string_view kind, std::vector<std::string> command,
                    const std::vector<TaskId>& needs = {}) {
    return AddSpec(name, kind, std::move(command), {}, needs);
  }

  // Valid until the next Add.
  [[nodiscard]] TaskSpec& task(TaskId id) { return pipeline_.tasks[id.index]; }
  [[nodiscard]] const Pipeline& pipeline() const { return pipeline_; }

  // Blocks until the run has ended; errors as those of executor::Run.
  [[nodiscard]] Result<RunReport> Run(const RunOptions& options = {}) const {
    return executor::Run(pipeline_, options);
  }

 private:
  TaskId AddSpec(std::string_view name, std::string_view kind, std::vector<std::string> command, TaskFunction function,
                 const std::vector<TaskId>& needs) {
    TaskSpec& task = pipeline_.tasks.emplace_back();
    task.name = name;
    task.kind = kind;
    task.command = std::move(command);
    task.function = std::move(function);
    for (const TaskId need : needs) task.needs.push_back(need.index);
    return {pipeline_.tasks.size() - 1};
  }

  Pipeline pipeline_;
};

}  // namespace tidemark::executor
