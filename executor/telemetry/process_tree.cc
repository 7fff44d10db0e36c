#include "executor/telemetry/process_tree.h"

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "executor/telemetry/proc_text.h"

namespace tidemark::executor {
namespace {

// Trees deeper or wider than this are cut: a fork bomb must not become ours.
constexpr size_t kMaxTree = 20'000;

// The fields of /proc/PID/stat after the name, which may hold anything; the first of them is number 3 in proc(5).
std::vector<std::string_view> StatFields(const std::string& text) {
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  return Words(std::string_view(text).substr(name_end + 1));
}

int64_t Field(const std::vector<std::string_view>& fields, size_t number) {
  const size_t index = number - 3;
  return index < fields.size() ? ToInt(fields[index]).value_or(0) : 0;
}

void AddUse(pid_t pid, const std::string& proc_root, TreeUse& use) {
  static const int64_t kTickNs = 1'000'000'000 / sysconf(_SC_CLK_TCK);
  static const int64_t kPageBytes = sysconf(_SC_PAGESIZE);
  const auto stat = ReadProcFile(fmt::format("{}/{}/stat", proc_root, pid));
  if (!stat) return;
  const auto fields = StatFields(*stat);
  if (fields.empty()) return;
  ++use.processes;
  use.cpu_ns += (Field(fields, 14) + Field(fields, 15) + Field(fields, 16) + Field(fields, 17)) * kTickNs;
  use.rss_bytes += Field(fields, 24) * kPageBytes;
  if (const auto io = ReadProcFile(fmt::format("{}/{}/io", proc_root, pid)); io) {
    std::string_view text = *io;
    while (const auto line = NextLine(text)) {
      const auto words = Words(*line);
      if (words.size() != 2) continue;
      if (words[0] == "read_bytes:") use.read_bytes += ToInt(words[1]).value_or(0);
      if (words[0] == "write_bytes:") use.written_bytes += ToInt(words[1]).value_or(0);
    }
  }
}

}  // namespace

TreeUse& TreeUse::operator+=(const TreeUse& other) {
  processes += other.processes;
  rss_bytes += other.rss_bytes;
  cpu_ns += other.cpu_ns;
  read_bytes += other.read_bytes;
  written_bytes += other.written_bytes;
  return *this;
}

std::optional<ProcessPlace> PlaceOf(pid_t pid, const std::string& proc_root) {
  const auto stat = ReadProcFile(fmt::format("{}/{}/stat", proc_root, pid));
  if (!stat) return std::nullopt;
  const auto fields = StatFields(*stat);
  if (fields.size() < 4 || fields[0].empty()) return std::nullopt;
  return ProcessPlace{.state = fields[0][0],
                      .parent = static_cast<pid_t>(Field(fields, 4)),
                      .group = static_cast<pid_t>(Field(fields, 5)),
                      .session = static_cast<pid_t>(Field(fields, 6))};
}

std::vector<pid_t> ChildrenOf(pid_t pid, const std::string& proc_root) {
  std::vector<pid_t> children;
  std::error_code error;
  // Children belong to the thread that made them.
  std::filesystem::directory_iterator threads(fmt::format("{}/{}/task", proc_root, pid), error);
  for (; !error && threads != std::filesystem::directory_iterator(); threads.increment(error)) {
    const auto text = ReadProcFile(threads->path().string() + "/children");
    if (!text) continue;
    for (const std::string_view word : Words(*text)) {
      if (const auto child = ToInt(word); child) children.push_back(static_cast<pid_t>(*child));
    }
  }
  return children;
}

std::vector<pid_t> DescendantsOf(pid_t root, const std::string& proc_root) {
  std::vector<pid_t> found;
  std::set<pid_t> seen{root};
  std::vector<pid_t> open{root};
  while (!open.empty() && found.size() < kMaxTree) {
    const pid_t at = open.back();
    open.pop_back();
    for (const pid_t child : ChildrenOf(at, proc_root)) {
      if (!seen.insert(child).second) continue;
      found.push_back(child);
      open.push_back(child);
    }
  }
  return found;
}

TreeUse UseOfTree(pid_t root, const std::string& proc_root) {
  TreeUse use;
  AddUse(root, proc_root, use);
  for (const pid_t pid : DescendantsOf(root, proc_root)) AddUse(pid, proc_root, use);
  return use;
}

std::vector<pid_t> AllProcesses(const std::string& proc_root) {
  std::vector<pid_t> all;
  std::error_code error;
  std::filesystem::directory_iterator entries(proc_root, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    if (const auto pid = ToInt(entries->path().filename().string()); pid) all.push_back(static_cast<pid_t>(*pid));
  }
  return all;
}

}  // namespace tidemark::executor
