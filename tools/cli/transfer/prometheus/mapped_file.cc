#include "tools/cli/transfer/prometheus/mapped_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidemark::cli::prometheus {

Result<std::unique_ptr<MappedFile>> MappedFile::Open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return MakeError(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                     fmt::format("{}: {}", path, std::strerror(errno)));
  }
  struct stat state = {};
  void* bytes = nullptr;
  const bool good = ::fstat(file, &state) == 0;
  const auto size = good ? static_cast<size_t>(state.st_size) : 0;
  // Nothing can be mapped of a file of no bytes.
  if (size > 0) bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int failed = errno;
  ::close(file);
  if (!good || bytes == MAP_FAILED) return IoError(fmt::format("{}: {}", path, std::strerror(failed)));
  return std::unique_ptr<MappedFile>(new MappedFile({static_cast<const char*>(bytes), size}));
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace tidemark::cli::prometheus
