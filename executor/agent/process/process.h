// Runs one command in a process group of its own, to its end, its timeout or its cancellation.
//
// When RunProcess returns, no process of the group is left: the group gets SIGTERM, after the grace period SIGKILL,
// and, however the command ended, SIGKILL for whatever it left behind. A process that has moved to a group or session
// of its own is found by the mark in its environment (task_mark.h), if the spec has one. The child starts with default
// signal handling, an empty signal mask, standard input from /dev/null and no other descriptor of ours.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/agent/pipeline/pipeline.h"
#include "executor/agent/process/unique_fd.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace tidemark::executor {

// A channel on which an agent hears that it should stop: an eventfd. Thread-safe.
class StopSignal {
 public:
  static Result<StopSignal> Make();
  // Never reset: one signal, one end.
  void Raise();
  [[nodiscard]] bool raised() const;
  // Readable once raised.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit StopSignal(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

struct ProcessSpec {
  std::vector<std::string> command{};      // program (looked up in PATH when it has no slash) and arguments
  std::vector<std::string> environment{};  // NAME=VALUE, all of it
  std::string working_directory{};         // "": ours
  int64_t timeout_ns = 0;                  // 0: none
  int64_t grace_ns = 5'000'000'000;        // from SIGTERM to SIGKILL
  std::string mark{};                      // the token of the mark that `environment` holds; "": none
};

struct ProcessResult {
  enum class End { kExited, kSignalled, kTimedOut, kCancelled };
  End end = End::kExited;
  int exit_code = -1;       // -1 unless it exited by itself
  int signal = 0;           // the signal that ended it, if any
  bool killed = false;      // SIGTERM was not enough
  int64_t user_cpu_ns = 0;  // of the command and the children it waited for
  int64_t system_cpu_ns = 0;
  int64_t max_rss_bytes = 0;  // of the largest of them
  int64_t read_bytes = 0;     // from and to the device
  int64_t written_bytes = 0;
  size_t escaped = 0;  // marked processes outside of the group that were killed at the end
};

// Called on the thread that called RunProcess. Either may be empty.
struct ProcessEvents {
  std::function<void(pid_t)> on_started{};
  // Each piece of standard output and standard error, in the order of arrival.
  std::function<void(std::string_view)> on_output{};
};

// Blocks until the command has ended. Time is read from `clock`. An Error means that it could not be started: kNotFound
// (no such program or folder), kInvalidArgument (not executable) or kIo. Thread-safe.
Result<ProcessResult> RunProcess(const ProcessSpec& spec, const Clock& clock, const StopSignal& stop,
                                 const ProcessEvents& events);

// The environment of this process with `added` on top, as NAME=VALUE; each name once.
std::vector<std::string> MergedEnvironment(const Environment& added);

}  // namespace tidemark::executor
