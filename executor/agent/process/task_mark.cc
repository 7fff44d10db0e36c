#include "executor/agent/process/task_mark.h"

#include <fmt/core.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <vector>

#include "executor/agent/process/unique_fd.h"
#include "executor/telemetry/proc_text.h"
#include "executor/telemetry/process_tree.h"

namespace tidemark::executor {
namespace {

constexpr int kMaxRounds = 500;
constexpr long kRoundNs = 2'000'000;

// Takes adopted processes that have ended off the process table. Tasks that agents wait for lead a group in our
// session; everything else that ends here has been adopted.
void ReapAdopted() {
  const pid_t self = getpid(), session = getsid(0), group = getpgrp();
  for (const pid_t pid : ChildrenOf(self)) {
    const auto place = PlaceOf(pid);
    if (!place || place->state != 'Z') continue;
    const bool elsewhere = place->session != session;
    const bool in_group_of_task = place->group != pid && place->group != group;
    if (elsewhere || in_group_of_task) waitpid(pid, nullptr, WNOHANG);
  }
}

size_t KillAll(const std::function<std::vector<pid_t>()>& candidates, const std::function<bool(pid_t)>& chosen) {
  std::set<pid_t> found;
  const pid_t self = getpid();
  for (int round = 0; round < kMaxRounds; ++round) {
    bool any = false;
    for (const pid_t pid : candidates()) {
      if (pid == self) continue;
      // Opened before it is looked at: if the number goes to another process meanwhile, the signal does not.
      const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
      if (!process.valid() || !chosen(pid)) continue;
      const auto place = PlaceOf(pid);
      if (!place || place->state == 'Z' || place->state == 'X') continue;
      any = true;
      found.insert(pid);
      syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    }
    if (!any) break;
    // What was killed takes a moment to go, and may have forked just before.
    const timespec pause{0, kRoundNs};
    nanosleep(&pause, nullptr);
  }
  if (AdoptsOrphans()) ReapAdopted();
  return found.size();
}

}  // namespace

std::string MarkValue(std::string_view token) {
  const char* const outer = getenv(std::string(kMarkVariable).c_str());
  return outer == nullptr || *outer == '\0' ? std::string(token) : fmt::format("{};{}", outer, token);
}

bool HasMark(pid_t pid, std::string_view token) {
  const auto environment = ReadProcFile(fmt::format("/proc/{}/environ", pid));
  if (!environment) return false;
  std::string_view rest = *environment;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view entry = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!entry.starts_with(kMarkVariable) || entry.size() <= kMarkVariable.size() ||
        entry[kMarkVariable.size()] != '=') {
      continue;
    }
    // Whole words only: the mark of attempt 1 is not in that of attempt 12.
    std::string_view value = entry.substr(kMarkVariable.size() + 1);
    for (size_t at = value.find(token); at != std::string_view::npos; at = value.find(token, at + 1)) {
      const size_t after = at + token.size();
      const bool begins = at == 0 || value[at - 1] == ';';
      if (begins && (after == value.size() || std::string_view(";|.").find(value[after]) != std::string_view::npos))
        return true;
    }
  }
  return false;
}

size_t KillMarked(std::string_view token, Reach reach) {
  const auto candidates = [reach] { return reach == Reach::kMachine ? AllProcesses() : DescendantsOf(getpid()); };
  return KillAll(candidates, [token](pid_t pid) { return HasMark(pid, token); });
}

size_t KillDescendants() {
  return KillAll([] { return DescendantsOf(getpid()); }, [](pid_t) { return true; });
}

void AdoptOrphans() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

bool AdoptsOrphans() {
  int adopts = 0;
  return prctl(PR_GET_CHILD_SUBREAPER, &adopts, 0, 0, 0) == 0 && adopts != 0;
}

}  // namespace tidemark::executor
