// RunGuard: a small process that outlives a crash of the executor and kills what it leaves behind.
//
// PR_SET_PDEATHSIG would reach only the direct children of an executor that is killed; a task is a tree. The guard
// waits on a pipe: when the executor ends without a goodbye, the guard finds all processes marked with the run's token
// (task_mark.h), kills them, and ends too.
#pragma once

#include <memory>
#include <string>

#include "executor/agent/process/unique_fd.h"
#include "storage/base/result.h"

namespace tidemark::executor {

class RunGuard {
 public:
  // Forks: call it before the process has a second thread. `token`: the run's id.
  static Result<std::unique_ptr<RunGuard>> Start(const std::string& token);
  // Says goodbye: the guard ends and kills nothing.
  ~RunGuard();
  RunGuard(const RunGuard&) = delete;
  RunGuard& operator=(const RunGuard&) = delete;

 private:
  explicit RunGuard(UniqueFd pipe) : pipe_(std::move(pipe)) {}
  UniqueFd pipe_;
};

}  // namespace tidemark::executor
