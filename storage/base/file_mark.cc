#include "storage/base/file_mark.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace tidemark {
namespace {

// stat(2) would ask for the times as well, and since Linux 6.13 a file whose times were asked for gets new ones with
// its very next write: a sync after each would have to write metadata again.
bool Look(const std::string& path, struct statx* seen) {
  return ::statx(AT_FDCWD, path.c_str(), AT_STATX_SYNC_AS_STAT, STATX_INO, seen) == 0;
}

uint64_t DeviceOf(const struct statx& seen) { return (uint64_t{seen.stx_dev_major} << 32) | seen.stx_dev_minor; }

}  // namespace

FileMark FileMark::Of(const std::string& path) {
  FileMark mark;
  struct statx seen{};
  if (Look(path, &seen)) {
    mark.device_ = DeviceOf(seen);
    mark.inode_ = seen.stx_ino;
  }
  return mark;
}

bool FileMark::Holds(const std::string& path) const {
  if (!set()) return true;
  struct statx seen{};
  if (Look(path, &seen)) return DeviceOf(seen) == device_ && seen.stx_ino == inode_;
  return errno != ENOENT && errno != ENOTDIR;
}

}  // namespace tidemark
