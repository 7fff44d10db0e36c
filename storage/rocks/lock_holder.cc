#include "storage/rocks/lock_holder.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace tidemark::storage::rocks {
namespace {

// The next word of `line`, taken from its front; "" at its end.
std::string_view NextWord(std::string_view* line) {
  const size_t begin = line->find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  line->remove_prefix(begin);
  const std::string_view word = line->substr(0, line->find(' '));
  line->remove_prefix(word.size());
  return word;
}

}  // namespace

// A line, as of proc_locks(5): "1: FLOCK  ADVISORY  WRITE 3869 00:2f:12345 0 EOF"; one who waits has "->" behind the
// number.
std::optional<int> LockHolder(const std::string& path, std::string_view locks) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  const std::string wanted = fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  while (!locks.empty()) {
    const size_t end = locks.find('\n');
    std::string_view line = locks.substr(0, end);
    locks.remove_prefix(end == std::string_view::npos ? locks.size() : end + 1);
    NextWord(&line);
    if (NextWord(&line) == "->") continue;
    NextWord(&line);
    NextWord(&line);
    const std::string_view number = NextWord(&line);
    int process = 0;
    std::from_chars(number.data(), number.data() + number.size(), process);
    if (process > 0 && NextWord(&line) == wanted) return process;
  }
  return std::nullopt;
}

std::optional<int> LockHolder(const std::string& path) {
  std::ifstream file("/proc/locks");
  std::ostringstream text;
  text << file.rdbuf();
  return LockHolder(path, text.str());
}

}  // namespace tidemark::storage::rocks
