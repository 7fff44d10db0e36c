// Process trees as /proc shows them: who is below whom, and what they use together.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tidemark::executor {

// What the living processes of one or more trees use.
struct TreeUse {
  size_t processes = 0;
  int64_t rss_bytes = 0;
  int64_t cpu_ns = 0;      // user and system, of the living and of those they have waited for
  int64_t read_bytes = 0;  // from and to devices
  int64_t written_bytes = 0;

  TreeUse& operator+=(const TreeUse& other);
};

// Where a process stands.
struct ProcessPlace {
  char state = 'X';  // as in ps: R, S, D, Z, ...
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
};

// All of these read what is there now; processes that end meanwhile are left out.
[[nodiscard]] std::optional<ProcessPlace> PlaceOf(pid_t pid, const std::string& proc_root = "/proc");
[[nodiscard]] std::vector<pid_t> ChildrenOf(pid_t pid, const std::string& proc_root = "/proc");
// Children, their children and so on, without `root` itself.
[[nodiscard]] std::vector<pid_t> DescendantsOf(pid_t root, const std::string& proc_root = "/proc");
// `root` and all below it.
[[nodiscard]] TreeUse UseOfTree(pid_t root, const std::string& proc_root = "/proc");
[[nodiscard]] std::vector<pid_t> AllProcesses(const std::string& proc_root = "/proc");

}  // namespace tidemark::executor
