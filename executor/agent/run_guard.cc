#include "executor/agent/run_guard.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "executor/agent/process/task_mark.h"

namespace tidemark::executor {
namespace {

[[noreturn]] void Guard(int pipe, const std::string& token) {
  prctl(PR_SET_NAME, "tidemark-guard", 0, 0, 0);
  // Ctrl-C and the end of the terminal are for the executor; the guard has to see how that ends.
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(signal_number, SIG_IGN);
  // No terminal and no pipe of the caller is kept open by it.
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  const int kept = STDERR_FILENO + 1;
  if (pipe != kept) dup2(pipe, kept);
  closefrom(kept + 1);
  char goodbye = 0;
  ssize_t count = 0;
  do {
    count = read(kept, &goodbye, 1);
  } while (count < 0 && errno == EINTR);
  if (count == 0) KillMarked(token, Reach::kMachine);
  _exit(0);
}

}  // namespace

Result<std::unique_ptr<RunGuard>> RunGuard::Start(const std::string& token) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return IoError(fmt::format("pipe: {}", std::strerror(errno)));
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) return IoError(fmt::format("fork: {}", std::strerror(errno)));
  if (child == 0) {
    write_end.Close();
    // Twice, so that the guard is nobody's child: it must not count as something that a task left behind.
    setsid();
    if (fork() != 0) _exit(0);
    Guard(read_end.get(), token);
  }
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return std::unique_ptr<RunGuard>(new RunGuard(std::move(write_end)));
}

RunGuard::~RunGuard() {
  const char goodbye = 'q';
  // A guard that is gone already needs none.
  [[maybe_unused]] const ssize_t written = write(pipe_.get(), &goodbye, 1);
}

}  // namespace tidemark::executor
