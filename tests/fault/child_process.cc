#include "child_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>

namespace tidemark::fault {
namespace {

int parent_pipe = -1;  // of a child

}  // namespace

void EndChild(int exit_code, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(parent_pipe, text.data() + written, text.size() - written);
    if (count <= 0) break;
    written += static_cast<size_t>(count);
  }
  _exit(exit_code);
}

ChildResult RunInChild(const std::function<std::string()>& body) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return {-1, "no pipe"};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    parent_pipe = ends[1];
    try {
      EndChild(0, body());
    } catch (const std::exception& error) {
      EndChild(1, error.what());
    }
  }
  close(ends[1]);
  ChildResult result;
  std::array<char, 65536> buffer{};
  for (ssize_t count = 0; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
    result.text.append(buffer.data(), static_cast<size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace tidemark::fault
