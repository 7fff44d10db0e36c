#include "tools/service/handover.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "tools/service/environment.h"

namespace tidemark::service {
namespace {

constexpr const char* kVariable = "TIDEMARK_HANDOVER";
constexpr std::string_view kFormat = "handover 1";
// Of the supervisor's own sockets, whose addresses it chose itself.
constexpr std::string_view kNotWanted = "-";

// The real place of a file; "" when there is none.
std::string RealPath(const std::string& path) {
  char* const found = ::realpath(path.c_str(), nullptr);
  std::string text = found == nullptr ? "" : found;
  std::free(found);
  return text;
}

std::string Absolute(std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  std::array<char, PATH_MAX> directory{};
  if (::getcwd(directory.data(), directory.size()) == nullptr) return std::string(path);
  return fmt::format("{}/{}", directory.data(), path);
}

// Where in PATH the file `name` is the one at `place`; "" when nowhere.
std::string InPath(std::string_view name, const std::string& place) {
  const char* const variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate = Absolute(fmt::format("{}/{}", rest.substr(0, end), name));
    if (RealPath(candidate) == place) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

Error Failed(std::string_view what) { return IoError(fmt::format("{}: {}", what, std::strerror(errno))); }

void CloseOnExec(int descriptor, bool on) { ::fcntl(descriptor, F_SETFD, on ? FD_CLOEXEC : 0); }

// A descriptor with this text behind it, from `lowest` on; -1.
int FileInMemory(std::string_view text, int lowest) {
  const int made = ::memfd_create("tidemark-handover", MFD_CLOEXEC);
  if (made < 0) return -1;
  const int descriptor = ::fcntl(made, F_DUPFD_CLOEXEC, lowest);
  ::close(made);
  while (descriptor >= 0 && !text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written <= 0) {
      ::close(descriptor);
      return -1;
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  return descriptor;
}

// Puts the sockets where LISTEN_FDS wants them, and everything else of the handover beyond.
Status MoveIntoPlace(Handover* handover) {
  const int lowest = kFirstInheritedDescriptor + static_cast<int>(handover->sockets.size());
  for (int& connection : handover->connections) {
    if (connection >= lowest) continue;
    const int moved = ::fcntl(connection, F_DUPFD_CLOEXEC, lowest);
    ::close(connection);
    connection = moved;
  }
  std::erase(handover->connections, -1);
  for (InheritedSocket& socket : handover->sockets) {
    const int moved = ::fcntl(socket.descriptor, F_DUPFD_CLOEXEC, lowest);
    if (moved < 0) return Failed("a listening socket cannot be moved");
    ::close(std::exchange(socket.descriptor, moved));
  }
  int place = kFirstInheritedDescriptor;
  for (InheritedSocket& socket : handover->sockets) {
    if (::dup3(socket.descriptor, place, O_CLOEXEC) < 0) return Failed("a listening socket cannot be moved");
    ::close(std::exchange(socket.descriptor, place++));
  }
  return {};
}

// That only what is handed over is open in the next program.
void KeepOpen(const Handover& handover, int file, bool keep) {
  // As far as the kernel knows how (Linux 5.11); what this process opens itself is closed by the next one anyway.
  if (keep) static_cast<void>(::close_range(kFirstInheritedDescriptor, UINT_MAX, CLOSE_RANGE_CLOEXEC));
  for (const InheritedSocket& socket : handover.sockets) CloseOnExec(socket.descriptor, !keep);
  for (const int connection : handover.connections) CloseOnExec(connection, !keep);
  CloseOnExec(file, !keep);
}

std::vector<std::pair<std::string, std::string>> VariablesOf(const Handover& handover, int file,
                                                             const Supervisor& supervisor) {
  std::string names;
  for (const InheritedSocket& socket : handover.sockets) names += (names.empty() ? "" : ":") + socket.name;
  std::vector<std::pair<std::string, std::string>> variables = supervisor.Variables();
  variables.emplace_back("LISTEN_PID", std::to_string(::getpid()));
  variables.emplace_back("LISTEN_FDS", std::to_string(handover.sockets.size()));
  variables.emplace_back("LISTEN_FDNAMES", std::move(names));
  variables.emplace_back(kVariable, std::to_string(file));
  return variables;
}

// Takes "`word` REST\n" from the front of `text`; nullopt when the line is another one.
std::optional<std::string_view> TakeLine(std::string_view word, std::string_view* text) {
  const size_t end = text->find('\n');
  if (end == std::string_view::npos || !text->starts_with(word)) return std::nullopt;
  const std::string_view line = text->substr(0, end);
  if (line.size() <= word.size() || line[word.size()] != ' ') return std::nullopt;
  text->remove_prefix(end + 1);
  return line.substr(word.size() + 1);
}

}  // namespace

Program Program::OfThisProcess(std::string_view name, std::vector<std::string> arguments) {
  const std::string place = RealPath("/proc/self/exe");
  std::string path;
  if (name.contains('/')) {
    if (std::string called = Absolute(name); RealPath(called) == place) path = std::move(called);
  } else {
    path = InPath(name, place);
  }
  return {path.empty() ? place : std::move(path), std::move(arguments)};
}

std::string PrintHandover(const Handover& handover) {
  std::string text = fmt::format("{}\nrestarts {}\npaused {}\n", kFormat, handover.restarts, handover.paused_ns);
  for (const InheritedSocket& socket : handover.sockets) {
    text += fmt::format("socket {}\n", socket.wanted.empty() ? kNotWanted : std::string_view(socket.wanted));
  }
  for (const int connection : handover.connections) text += fmt::format("connection {}\n", connection);
  return text;
}

Status ReadHandover(std::string_view text, Handover* handover) {
  const auto wrong = [] { return InvalidArgument(fmt::format("what {} names is no handover", kVariable)); };
  const std::string first = std::string(kFormat) + '\n';
  if (!text.starts_with(first)) return wrong();
  text.remove_prefix(first.size());
  const std::optional<std::string_view> restarts = TakeLine("restarts", &text);
  const std::optional<std::string_view> paused = TakeLine("paused", &text);
  if (!restarts || !paused || !NumberIn(*restarts) || !NumberIn(*paused)) return wrong();
  handover->restarts = static_cast<uint64_t>(*NumberIn(*restarts));
  handover->paused_ns = *NumberIn(*paused);
  for (InheritedSocket& socket : handover->sockets) {
    const std::optional<std::string_view> wanted = TakeLine("socket", &text);
    if (!wanted) return wrong();
    if (*wanted != kNotWanted) socket.wanted = *wanted;
  }
  while (const std::optional<std::string_view> connection = TakeLine("connection", &text)) {
    const std::optional<int64_t> descriptor = NumberIn(*connection);
    if (!descriptor || *descriptor > INT_MAX) return wrong();
    handover->connections.push_back(static_cast<int>(*descriptor));
  }
  return text.empty() ? Status() : wrong();
}

Result<Handover> TakeHandover() {
  const std::string file = TakeVariable(kVariable);
  Handover handover;
  TM_TRY_ASSIGN(handover.sockets, TakeInheritedSockets());
  if (file.empty()) return handover;
  const std::optional<int64_t> descriptor = NumberIn(file);
  struct stat status = {};
  if (!descriptor || ::fstat(static_cast<int>(*descriptor), &status) != 0) {
    return InvalidArgument(fmt::format("{}=\"{}\" is no descriptor", kVariable, file));
  }
  std::string text(static_cast<size_t>(status.st_size), '\0');
  const ssize_t got = ::pread(static_cast<int>(*descriptor), text.data(), text.size(), 0);
  ::close(static_cast<int>(*descriptor));
  text.resize(got < 0 ? 0 : static_cast<size_t>(got));
  TM_RETURN_IF_ERROR(ReadHandover(text, &handover));
  for (const int connection : handover.connections) CloseOnExec(connection, true);
  return handover;
}

Error Replace(const Program& program, const Supervisor& supervisor, Handover* handover) {
  if (const Status moved = MoveIntoPlace(handover); !moved.ok()) return moved.error();
  const int lowest = kFirstInheritedDescriptor + static_cast<int>(handover->sockets.size());
  const int file = FileInMemory(PrintHandover(*handover), lowest);
  if (file < 0) return Failed("a file in memory");
  const auto variables = VariablesOf(*handover, file, supervisor);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<std::string> words = program.arguments;
  words.insert(words.begin(), program.path);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  KeepOpen(*handover, file, true);
  ::execv(program.path.c_str(), pointers.data());
  Error why = Failed(program.path);
  KeepOpen(*handover, file, false);
  ::close(file);
  for (const auto& [name, value] : variables) ::unsetenv(name.c_str());
  return why;
}

}  // namespace tidemark::service
