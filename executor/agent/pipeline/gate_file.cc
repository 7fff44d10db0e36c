#include "executor/agent/pipeline/gate_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tidemark::executor {
namespace {

class OpenFile {
 public:
  // Without O_NONBLOCK the opening of a pipe waits for somebody who writes to it.
  explicit OpenFile(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

std::string_view KindOf(mode_t mode) {
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "a socket or the like";
}

Error IoErrorOf(const std::string& path) {
  return IoError(fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
}

}  // namespace

Result<void> ReadGateFile(const std::string& path, uint64_t bytes_max, const std::function<bool()>& may_go_on,
                          const std::function<void(std::string_view)>& sink) {
  const OpenFile file(path);
  struct stat status{};
  if (file.fd() < 0 || ::fstat(file.fd(), &status) != 0) return IoErrorOf(path);
  if (!S_ISREG(status.st_mode)) {
    return InvalidArgument(fmt::format("{} is {}; a gate reads regular files only", path, KindOf(status.st_mode)));
  }
  const auto too_large = [&] {
    return LimitExceeded(fmt::format("{} has more than the {} bytes that this gate reads", path, bytes_max));
  };
  if (static_cast<uint64_t>(status.st_size) > bytes_max) return too_large();
  std::array<char, size_t{64} << 10> buffer;
  // Files of /proc say that they are empty, and one that is still written to grows.
  for (uint64_t read_bytes = 0;;) {
    if (may_go_on && !may_go_on())
      return MakeError(ErrorCode::kCancelled, fmt::format("{} was not read to its end", path));
    const ssize_t got = ::read(file.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return IoErrorOf(path);
    if (got == 0) return {};
    read_bytes += static_cast<uint64_t>(got);
    if (read_bytes > bytes_max) return too_large();
    sink({buffer.data(), static_cast<size_t>(got)});
  }
}

}  // namespace tidemark::executor
