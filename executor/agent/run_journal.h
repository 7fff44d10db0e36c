// RunJournal: a small file that says which run is under way and which of its tasks. It is locked while its process
// lives and removed at the end of the run: one that is found without a lock tells what a crash interrupted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "executor/agent/process/unique_fd.h"
#include "storage/base/result.h"

namespace tidemark::executor {

// A run whose process ended before the run did.
struct InterruptedRun {
  std::string run_id{};
  std::string pipeline{};
  int64_t started_at_ns = 0;
  size_t tasks = 0;
  size_t tasks_ended = 0;
  std::vector<std::string> running{};  // tasks that had started and not ended, in the order of their starts
  size_t killed = 0;                   // processes of it that were still there
};

// Thread-compatible: one call at a time. Writing is best effort, as a full disk must not fail a run.
class RunJournal {
 public:
  // Creates `directory` if needed. The file holds one line per start and end of a task and is not synced: it is for
  // crashes of the process, and after a crash of the machine nothing is running anyway.
  static Result<RunJournal> Create(const std::string& directory, const std::string& pipeline, const std::string& run_id,
                                   int64_t started_at_ns, size_t tasks);
  RunJournal(RunJournal&&) = default;
  RunJournal& operator=(RunJournal&&) = delete;
  // Removes the file.
  ~RunJournal();

  void TaskStarted(std::string_view task);
  void TaskEnded(std::string_view task);

 private:
  RunJournal(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  void Append(const std::string& line);
  UniqueFd file_;
  std::string path_;
};

// The interrupted runs in `directory`, oldest first: what they left running is killed, and their files are removed.
// Files of runs that are under way are left alone; an unreadable one is left out.
std::vector<InterruptedRun> TakeInterruptedRuns(const std::string& directory);

}  // namespace tidemark::executor
