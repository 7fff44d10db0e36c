#include "tools/server/watch/alive_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

namespace tidemark::server {
namespace {

constexpr std::string_view kMagic = "tidemark-alive";
constexpr std::string_view kVersion = "1";

std::string ChecksumOf(std::string_view text) { return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size())); }

Error IoError(const std::string& doing, const std::string& path) {
  return MakeError(ErrorCode::kIo, fmt::format("{} {}: {}", doing, path, std::strerror(errno)));
}

bool ParseTime(std::string_view text, int64_t* time_ns) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *time_ns);
  return error == std::errc() && end == text.data() + text.size() && *time_ns >= 0;
}

}  // namespace

std::string FormatAlive(const Alive& alive) {
  const std::string text = fmt::format("{} {} {:020} {:020} {} ", kMagic, kVersion, alive.first_start_ns, alive.time_ns,
                                       alive.stopped ? "stopped" : "running");
  return text + ChecksumOf(text) + "\n";
}

Result<Alive> ParseAlive(std::string_view text) {
  const auto damaged = [] { return MakeError(ErrorCode::kCorruption, "not the line of a server that was alive"); };
  if (!text.ends_with('\n')) return damaged();
  text.remove_suffix(1);
  std::vector<std::string_view> words;
  for (std::string_view rest = text; words.size() < 7;) {
    const size_t space = rest.find(' ');
    words.push_back(rest.substr(0, space));
    if (space == std::string_view::npos) break;
    rest.remove_prefix(space + 1);
  }
  if (words.size() < 2 || words[0] != kMagic) return damaged();
  if (words[1] != kVersion) {
    return MakeError(ErrorCode::kUnsupported, fmt::format("version {} of the line, known is {}", words[1], kVersion));
  }
  Alive alive;
  if (words.size() != 6 || ChecksumOf(text.substr(0, text.size() - words[5].size())) != words[5] ||
      !ParseTime(words[2], &alive.first_start_ns) || !ParseTime(words[3], &alive.time_ns)) {
    return damaged();
  }
  alive.stopped = words[4] == "stopped";
  return alive;
}

Result<AliveFile> AliveFile::Open(const std::string& directory) {
  std::string path = directory + "/alive";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return IoError("opening", path);
  return AliveFile(fd, std::move(path));
}

AliveFile::AliveFile(AliveFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

AliveFile& AliveFile::operator=(AliveFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

AliveFile::~AliveFile() {
  if (fd_ >= 0) close(fd_);
}

Result<Alive> AliveFile::Read() const {
  std::string text(kAliveBytes + 1, '\0');
  const ssize_t got = pread(fd_, text.data(), text.size(), 0);
  if (got < 0) return IoError("reading", path_);
  if (got == 0) return NotFound(path_ + " is empty");
  text.resize(static_cast<size_t>(got));
  Result<Alive> alive = ParseAlive(text);
  if (!alive.ok()) return alive.error().Within(path_);
  return alive;
}

Result<void> AliveFile::Write(const Alive& alive) {
  const std::string text = FormatAlive(alive);
  if (pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) return IoError("writing", path_);
  if (fdatasync(fd_) != 0) return IoError("syncing", path_);
  return {};
}

}  // namespace tidemark::server
