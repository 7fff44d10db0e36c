#include "storage/base/memory/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/core.h>

namespace tidemark::memory {
namespace {

// Read by one call, as the kernel makes such a file. Nothing when it is not there or longer than expected.
std::optional<std::string> ReadSmall(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t got = 0;
  while (text.size() < 16 * piece.size() && (got = ::read(file, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<size_t>(got));
  }
  ::close(file);
  if (got < 0) return std::nullopt;
  return text;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return number;
}

void Lower(Ceiling* ceiling, std::optional<uint64_t> bytes, std::string source) {
  if (!bytes.has_value() || *bytes == 0 || *bytes >= ceiling->bytes) return;
  *ceiling = {*bytes, std::move(source)};
}

// The group and all above it, as far as they can be seen. In a container the path may be one of outside: what is
// mounted is then the group itself.
template <typename Files>
void WalkUp(const std::string& mount, std::string_view group, const Files& files, Ceiling* ceiling) {
  while (true) {
    if (group == "/") group = "";
    for (const char* file : files) {
      if (auto text = ReadSmall(fmt::format("{}{}/{}", mount, group, file)); text.has_value()) {
        // "max" is no number.
        Lower(ceiling, Number(*text), fmt::format("{} of control group {}", file, group.empty() ? "/" : group));
      }
    }
    if (group.empty()) return;
    group = group.substr(0, group.rfind('/') == std::string_view::npos ? 0 : group.rfind('/'));
  }
}

bool NamesController(std::string_view controllers, std::string_view name) {
  while (!controllers.empty()) {
    const size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == name) return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

}  // namespace

Ceiling FindCeiling(uint64_t setting_bytes, const SystemPlaces& places) {
  Ceiling ceiling{UINT64_MAX, "nothing that could be read"};
  if (const auto text = ReadSmall(places.proc + "/meminfo"); text.has_value()) {
    constexpr std::string_view kTotal = "MemTotal:";
    if (size_t at = text->find(kTotal); at != std::string::npos) {
      at = text->find_first_not_of(' ', at + kTotal.size());
      if (at != std::string::npos) {
        const auto kib = Number(std::string_view(*text).substr(at));
        if (kib.has_value()) Lower(&ceiling, *kib * 1024, "the machine's memory");
      }
    }
  }
  // Lines of hierarchy:controllers:path; version 2 has the hierarchy 0 and no controllers.
  std::string groups = ReadSmall(places.proc + "/self/cgroup").value_or("");
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t first = line.find(':');
    const size_t second = line.find(':', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (controllers.empty()) {
      constexpr std::array kFiles = {"memory.max", "memory.high"};
      WalkUp(places.cgroup, path, kFiles, &ceiling);
    } else if (NamesController(controllers, "memory")) {
      constexpr std::array kFiles = {"memory.limit_in_bytes"};
      WalkUp(places.cgroup + "/memory", path, kFiles, &ceiling);
    }
  }
  if (setting_bytes != 0) Lower(&ceiling, setting_bytes, "memory.limit");
  return ceiling;
}

uint64_t BudgetOf(uint64_t ceiling_bytes) {
  constexpr uint64_t kKept = uint64_t{64} << 20;
  const uint64_t part = ceiling_bytes / 100 * 85;
  return std::max(part > kKept ? part - kKept : 0, kLeastBudgetBytes);
}

Result<uint64_t> AnonymousBytes(const SystemPlaces& places) {
  // Pages: size, resident, of them backed by files or shared.
  const auto text = ReadSmall(places.proc + "/self/statm");
  std::array<uint64_t, 3> pages{};
  std::string_view rest = text.has_value() ? std::string_view(*text) : std::string_view();
  for (uint64_t& number : pages) {
    const auto value = Number(rest);
    if (!value.has_value()) return IoError(places.proc + "/self/statm: cannot be read, or is not what was expected");
    number = *value;
    rest.remove_prefix(
        std::min(rest.find(' ') == std::string_view::npos ? rest.size() : rest.find(' ') + 1, rest.size()));
  }
  static const uint64_t kPageBytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return (pages[1] > pages[2] ? pages[1] - pages[2] : 0) * kPageBytes;
}

}  // namespace tidemark::memory
