#include "executor/agent/run_journal.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "executor/agent/process/task_mark.h"
#include "executor/telemetry/proc_text.h"

namespace tidemark::executor {
namespace {

constexpr std::string_view kSuffix = ".run";

InterruptedRun Parse(std::string_view text) {
  InterruptedRun run;
  while (const auto line = NextLine(text)) {
    // Names hold no spaces (IsName). A line that was cut by the crash does not count.
    const auto words = Words(*line);
    if (words.size() == 5 && words[0] == "run") {
      run.run_id = words[1];
      run.pipeline = words[2];
      run.started_at_ns = ToInt(words[3]).value_or(0);
      run.tasks = static_cast<size_t>(std::max<int64_t>(0, ToInt(words[4]).value_or(0)));
    } else if (words.size() == 2 && words[0] == "start") {
      run.running.emplace_back(words[1]);
    } else if (words.size() == 2 && words[0] == "end") {
      const auto found = std::find(run.running.begin(), run.running.end(), words[1]);
      if (found == run.running.end()) continue;
      run.running.erase(found);
      ++run.tasks_ended;
    }
  }
  return run;
}

}  // namespace

Result<RunJournal> RunJournal::Create(const std::string& directory, const std::string& pipeline,
                                      const std::string& run_id, int64_t started_at_ns, size_t tasks) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return IoError(fmt::format("{}: {}", directory, error.message()));
  std::string path = fmt::format("{}/{}{}", directory, run_id, kSuffix);
  UniqueFd file(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  // Not inherited: closed on exec. So the lock ends with the process.
  if (!file.valid() || flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  RunJournal journal(std::move(file), std::move(path));
  journal.Append(fmt::format("run {} {} {} {}\n", run_id, pipeline, started_at_ns, tasks));
  return journal;
}

RunJournal::~RunJournal() {
  if (file_.valid()) unlink(path_.c_str());
}

void RunJournal::Append(const std::string& line) {
  [[maybe_unused]] const ssize_t written = write(file_.get(), line.data(), line.size());
}

void RunJournal::TaskStarted(std::string_view task) { Append(fmt::format("start {}\n", task)); }
void RunJournal::TaskEnded(std::string_view task) { Append(fmt::format("end {}\n", task)); }

std::vector<InterruptedRun> TakeInterruptedRuns(const std::string& directory) {
  std::vector<InterruptedRun> runs;
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string path = entries->path().string();
    if (!path.ends_with(kSuffix)) continue;
    const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid() || flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    const auto text = ReadProcFile(path);
    unlink(path.c_str());
    if (!text) continue;
    InterruptedRun run = Parse(*text);
    // Between the making of the file and its first line there is nothing to tell.
    if (run.run_id.empty()) continue;
    run.killed = KillMarked(run.run_id, Reach::kMachine);
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(),
            [](const InterruptedRun& a, const InterruptedRun& b) { return a.started_at_ns < b.started_at_ns; });
  return runs;
}

}  // namespace tidemark::executor
