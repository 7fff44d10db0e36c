// TaskMark: the environment variable by which every process of a task can be found, wherever it has moved: to another
// process group, another session, another parent. What clears its environment is found only as a descendant.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace tidemark::executor {

// Set for every task. Its value names run, task and attempt; a run inside a task of another run adds to the outer
// one's value, so that killing the outer task finds the inner ones too.
inline constexpr std::string_view kMarkVariable = "TIDEMARK_TASK";

// The value for a task: `token` behind the value that this process itself has, if any.
std::string MarkValue(std::string_view token);

// Whether the process has a mark that is `token`, or begins with it and one of | . (the parts of a mark and of a run
// id).
bool HasMark(pid_t pid, std::string_view token);

enum class Reach {
  kDescendants,  // below this process; enough where it adopts orphans (AdoptOrphans)
  kMachine,      // all that /proc shows
};

// Sends SIGKILL to all processes marked with `token`, but not to this one, until none is left, at most for a second;
// those that are children of this process are reaped. Returns how many were found. Thread-safe.
size_t KillMarked(std::string_view token, Reach reach);

// Kills and reaps all descendants of this process, at most for a second. Returns how many were found.
size_t KillDescendants();

// From now on orphans below this process become its children (PR_SET_CHILD_SUBREAPER). For programs whose business is
// running pipelines.
void AdoptOrphans();
[[nodiscard]] bool AdoptsOrphans();

}  // namespace tidemark::executor
