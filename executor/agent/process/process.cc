#include "executor/agent/process/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "executor/agent/process/task_mark.h"
#include "storage/base/check.h"

extern char** environ;

namespace tidemark::executor {
namespace {

// The longest sleep between two looks at the clock, which may be one that does not move with the machine's.
constexpr int64_t kTickNs = 50'000'000;
// The same where the kernel cannot wake us at the child's end (no pidfd).
constexpr int64_t kTickWithoutPidfdNs = 2'000'000;
// What is read from a flooding child before its clock is looked at again.
constexpr size_t kMaxReadsPerTurn = 16;

std::string ErrnoText(int error) { return std::strerror(error); }

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Pipe {
  UniqueFd read_end, write_end;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return IoError(fmt::format("pipe: {}", ErrnoText(errno)));
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return IoError(fmt::format("pipe: {}", ErrnoText(errno)));
  return pipe;
}

// posix_spawn's two property bags, freed at the end of the scope.
class SpawnSettings {
 public:
  SpawnSettings() { TM_CHECK(posix_spawn_file_actions_init(&actions) == 0 && posix_spawnattr_init(&attributes) == 0); }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

// posix_spawn rather than fork: the child of a process with threads and gigabytes may do next to nothing between fork
// and exec, and glibc does exactly that, on a borrowed address space.
Result<pid_t> Spawn(const ProcessSpec& spec, int output_fd) {
  SpawnSettings settings;
  int error = posix_spawn_file_actions_addopen(&settings.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&settings.actions, output_fd, STDOUT_FILENO);
  if (error == 0) error = posix_spawn_file_actions_adddup2(&settings.actions, output_fd, STDERR_FILENO);
  // Descriptors that some library of the embedding program opened without O_CLOEXEC.
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  if (error == 0 && !spec.working_directory.empty()) {
    error = posix_spawn_file_actions_addchdir_np(&settings.actions, spec.working_directory.c_str());
  }
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  if (error == 0) error = posix_spawnattr_setsigmask(&settings.attributes, &none);
  if (error == 0) error = posix_spawnattr_setsigdefault(&settings.attributes, &all);
  if (error == 0) error = posix_spawnattr_setpgroup(&settings.attributes, 0);
  if (error == 0) {
    error = posix_spawnattr_setflags(&settings.attributes,
                                     POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  pid_t pid = -1;
  const std::vector<char*> arguments = Pointers(spec.command);
  const std::vector<char*> environment = Pointers(spec.environment);
  if (error == 0) {
    error =
        posix_spawnp(&pid, arguments[0], &settings.actions, &settings.attributes, arguments.data(), environment.data());
  }
  if (error == 0) return pid;
  const std::string where = spec.working_directory.empty() ? "" : " in " + spec.working_directory;
  const std::string message = fmt::format("cannot start {}{}: {}", spec.command[0], where, ErrnoText(error));
  if (error == ENOENT || error == ENOTDIR) return NotFound(message);
  if (error == EACCES || error == ENOEXEC || error == E2BIG) return InvalidArgument(message);
  return IoError(message);
}

int64_t ToNs(const timeval& time) { return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1'000; }

class RunningProcess {
 public:
  RunningProcess(const ProcessSpec& spec, const Clock& clock, const StopSignal& stop, const ProcessEvents& events,
                 pid_t pid, UniqueFd output)
      : spec_(spec),
        clock_(clock),
        stop_(stop),
        events_(events),
        pid_(pid),
        output_(std::move(output)),
        pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
        started_ns_(clock.SteadyNs()) {}

  ProcessResult Finish();

 private:
  void WaitForSomething();
  void ReadOutput();
  [[nodiscard]] bool HasEnded() const;
  // Begins or completes the killing of the group when it is due.
  void Enforce();
  [[nodiscard]] std::optional<int64_t> Deadline() const;
  void Reap();

  const ProcessSpec& spec_;
  const Clock& clock_;
  const StopSignal& stop_;
  const ProcessEvents& events_;
  const pid_t pid_;
  UniqueFd output_;
  UniqueFd pidfd_;
  const int64_t started_ns_;
  std::optional<int64_t> terminated_ns_;  // when SIGTERM was sent
  ProcessResult result_;
};

std::optional<int64_t> RunningProcess::Deadline() const {
  if (terminated_ns_) {
    if (result_.killed) return std::nullopt;
    return *terminated_ns_ + spec_.grace_ns;
  }
  if (spec_.timeout_ns > 0) return started_ns_ + spec_.timeout_ns;
  return std::nullopt;
}

void RunningProcess::WaitForSomething() {
  std::array<pollfd, 3> fds{};
  nfds_t count = 0;
  if (output_.valid()) fds[count++] = {output_.get(), POLLIN, 0};
  if (pidfd_.valid()) fds[count++] = {pidfd_.get(), POLLIN, 0};
  // Once heard, the signal stays readable and would wake us again and again.
  if (!terminated_ns_) fds[count++] = {stop_.fd(), POLLIN, 0};
  int64_t wait_ns = pidfd_.valid() ? kTickNs : kTickWithoutPidfdNs;
  if (const auto deadline = Deadline(); deadline) {
    wait_ns = std::clamp<int64_t>(*deadline - clock_.SteadyNs(), 0, wait_ns);
  }
  const timespec timeout{0, static_cast<long>(wait_ns)};
  // An interruption is as good as a tick.
  ppoll(fds.data(), count, &timeout, nullptr);
}

void RunningProcess::ReadOutput() {
  std::array<char, size_t{16} << 10> buffer;
  for (size_t i = 0; i < kMaxReadsPerTurn && output_.valid(); ++i) {
    const ssize_t count = read(output_.get(), buffer.data(), buffer.size());
    if (count > 0) {
      if (events_.on_output) events_.on_output({buffer.data(), static_cast<size_t>(count)});
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      output_.Close();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

bool RunningProcess::HasEnded() const {
  siginfo_t info{};
  // Not reaped here: as long as it is a zombie, nobody else can get its number, and so its group's.
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

void RunningProcess::Enforce() {
  const int64_t now_ns = clock_.SteadyNs();
  if (!terminated_ns_) {
    if (stop_.raised()) {
      result_.end = ProcessResult::End::kCancelled;
    } else if (const auto deadline = Deadline(); deadline && now_ns >= *deadline) {
      result_.end = ProcessResult::End::kTimedOut;
    } else {
      return;
    }
    terminated_ns_ = now_ns;
    kill(-pid_, SIGTERM);
    // A stopped process hears SIGTERM only when it goes on.
    kill(-pid_, SIGCONT);
  } else if (const auto deadline = Deadline(); deadline && now_ns >= *deadline) {
    result_.killed = true;
    kill(-pid_, SIGKILL);
  }
}

void RunningProcess::Reap() {
  kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    result_.signal = WTERMSIG(status);
    if (!terminated_ns_) result_.end = ProcessResult::End::kSignalled;
  } else if (WIFEXITED(status)) {
    result_.exit_code = WEXITSTATUS(status);
  }
  result_.user_cpu_ns = ToNs(usage.ru_utime);
  result_.system_cpu_ns = ToNs(usage.ru_stime);
  result_.max_rss_bytes = int64_t{usage.ru_maxrss} * 1024;
  result_.read_bytes = int64_t{usage.ru_inblock} * 512;
  result_.written_bytes = int64_t{usage.ru_oublock} * 512;
  if (!spec_.mark.empty()) {
    // An adopted orphan is below us; without adoption it may be anywhere.
    result_.escaped = KillMarked(spec_.mark, AdoptsOrphans() ? Reach::kDescendants : Reach::kMachine);
  }
}

ProcessResult RunningProcess::Finish() {
  while (!HasEnded()) {
    WaitForSomething();
    ReadOutput();
    Enforce();
  }
  Reap();
  // What is left in the pipe: at most its size, since all who wrote to it are gone, or have left the group and are not
  // waited for.
  for (size_t i = 0; i < kMaxReadsPerTurn && output_.valid(); ++i) ReadOutput();
  return result_;
}

}  // namespace

Result<StopSignal> StopSignal::Make() {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return IoError(fmt::format("eventfd: {}", ErrnoText(errno)));
  return StopSignal(std::move(fd));
}

void StopSignal::Raise() { eventfd_write(fd_.get(), 1); }

bool StopSignal::raised() const {
  pollfd fd{fd_.get(), POLLIN, 0};
  return poll(&fd, 1, 0) > 0;
}

Result<ProcessResult> RunProcess(const ProcessSpec& spec, const Clock& clock, const StopSignal& stop,
                                 const ProcessEvents& events) {
  if (spec.command.empty()) return InvalidArgument("no command");
  TM_TRY_ASSIGN(Pipe pipe, MakePipe());
  TM_TRY_ASSIGN(const pid_t pid, Spawn(spec, pipe.write_end.get()));
  pipe.write_end.Close();
  RunningProcess process(spec, clock, stop, events, pid, std::move(pipe.read_end));
  if (events.on_started) events.on_started(pid);
  return process.Finish();
}

std::vector<std::string> MergedEnvironment(const Environment& added) {
  std::map<std::string, std::string> merged;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (const size_t equals = text.find('='); equals != std::string_view::npos && equals > 0) {
      merged.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  // Tasks are other people's programs: what lets in at the server is not theirs.
  merged.erase("TIDEMARK_TOKEN");
  merged.erase("TIDEMARK_TOKEN_FILE");
  for (const auto& [name, value] : added) merged.insert_or_assign(name, value);
  std::vector<std::string> environment;
  environment.reserve(merged.size());
  for (const auto& [name, value] : merged) environment.push_back(fmt::format("{}={}", name, value));
  return environment;
}

}  // namespace tidemark::executor
