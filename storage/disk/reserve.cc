#include "storage/disk/reserve.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

namespace tidemark::storage::disk {
namespace {

// A disk of which more than this share were set aside would be small for its reserve, not for its data.
constexpr uint64_t kShareOfDisk = 16;
// What must be free besides, so that the first rows after it do not fill the disk again.
constexpr uint64_t kBesides = uint64_t{1} << 20;
// A segment of the journal, and the log and small tables of RocksDB.
constexpr uint64_t kEnoughForActs = uint64_t{4} << 20;
constexpr uint64_t kDiskBlock = 512;  // of st_blocks

Error Failed(const std::string& path) {
  const int error = errno;
  const ErrorCode code = error == ENOSPC || error == EDQUOT ? ErrorCode::kResourceExhausted : ErrorCode::kIo;
  return MakeError(code, fmt::format("{}: {}", path, std::strerror(error)));
}

}  // namespace

DiskRoom RoomOf(const std::string& directory) {
  struct statvfs disk{};
  if (::statvfs(directory.c_str(), &disk) != 0 || disk.f_blocks == 0) return {};
  DiskRoom room{.known = true,
                .bytes = uint64_t{disk.f_bavail} * disk.f_frsize,
                .capacity = uint64_t{disk.f_blocks} * disk.f_frsize,
                .names = disk.f_favail};
  // btrfs and others make inodes as they need them, and count none.
  if (disk.f_files == 0) room.names = std::numeric_limits<uint64_t>::max();
  return room;
}

uint64_t ReserveBytes(uint64_t least_bytes, uint64_t change_bytes, const DiskRoom& disk) {
  if (least_bytes == 0) return 0;
  const uint64_t wanted = std::max(least_bytes, 2 * change_bytes);
  return disk.known ? std::min(wanted, disk.capacity / kShareOfDisk) : wanted;
}

Reserve::Reserve(std::string directory, uint64_t least_bytes)
    : directory_(std::move(directory)), least_bytes_(least_bytes) {
  MutexLock lock(mutex_);
  wanted_ = ReserveBytes(least_bytes_, 0, RoomOf(directory_));
  Look();
}

std::string Reserve::SpacePath() const { return directory_ + "/reserve/space"; }

std::string Reserve::NamePath(uint64_t number) const {
  return fmt::format("{}/reserve/name-{:02}", directory_, number);
}

void Reserve::Look() {
  struct stat file{};
  // Of a file with holes, as a copy may be, only what is allocated counts.
  bytes_ =
      ::stat(SpacePath().c_str(), &file) == 0
          ? std::min<uint64_t>(static_cast<uint64_t>(file.st_size), static_cast<uint64_t>(file.st_blocks) * kDiskBlock)
          : 0;
  names_ = 0;
  for (uint64_t i = 0; i < kNames; ++i) names_ += ::access(NamePath(i).c_str(), F_OK) == 0 ? 1 : 0;
}

Result<void> Reserve::MakeSpace(uint64_t bytes) {
  const std::string path = SpacePath();
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return Failed(path);
  // Not posix_fallocate, which writes zeros where the file system cannot allocate without.
  const auto length = static_cast<off_t>(bytes);
  Result<void> made;
  if (::ftruncate(file, length) != 0 || (bytes > 0 && ::fallocate(file, 0, 0, length) != 0 && errno != EOPNOTSUPP)) {
    made = Failed(path);
    if (::ftruncate(file, 0) != 0) ::unlink(path.c_str());
  }
  ::close(file);
  return made;
}

Result<void> Reserve::MakeNames() {
  for (uint64_t i = 0; i < kNames; ++i) {
    const std::string path = NamePath(i);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return Failed(path);
    ::close(file);
  }
  return {};
}

Result<void> Reserve::Keep(uint64_t change_bytes) {
  MutexLock lock(mutex_);
  const DiskRoom disk = RoomOf(directory_);
  // What was once needed may be needed again.
  largest_change_ = std::max(largest_change_, change_bytes);
  wanted_ = ReserveBytes(least_bytes_, largest_change_, disk);
  if (least_bytes_ == 0) {
    if (bytes_ + names_ > 0) Remove();
    in_use_ = false;
    return {};
  }
  // Somebody may have deleted some of it.
  Look();
  if (bytes_ == wanted_ && names_ == kNames) {
    in_use_ = false;
    return {};
  }
  if (disk.known && disk.bytes + bytes_ < wanted_ + kBesides) {
    return MakeError(ErrorCode::kResourceExhausted,
                     fmt::format("the reserve for a full disk needs {} free bytes and finds {}", wanted_ + kBesides,
                                 disk.bytes + bytes_));
  }
  if (disk.known && disk.names + names_ < 2 * kNames) {
    return MakeError(
        ErrorCode::kResourceExhausted,
        fmt::format("the reserve for a full disk needs {} free inodes and finds {}", 2 * kNames, disk.names + names_));
  }
  const std::string folder = directory_ + "/reserve";
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return Failed(folder);
  Result<void> made = MakeSpace(wanted_);
  if (made.ok()) made = MakeNames();
  Look();
  // Where nothing can be allocated a file of that length is all there can be.
  if (made.ok()) bytes_ = wanted_;
  in_use_ = in_use_ && !made.ok();
  return made;
}

bool Reserve::DiskIsFull() const {
  MutexLock lock(mutex_);
  const DiskRoom disk = RoomOf(directory_);
  return least_bytes_ > 0 && disk.known &&
         (disk.bytes < std::min(wanted_ / 2, kEnoughForActs) || disk.names < kNames / 2);
}

void Reserve::Remove() {
  ::unlink(SpacePath().c_str());
  for (uint64_t i = 0; i < kNames; ++i) ::unlink(NamePath(i).c_str());
  ::rmdir((directory_ + "/reserve").c_str());
  bytes_ = 0;
  names_ = 0;
}

void Reserve::Release() {
  MutexLock lock(mutex_);
  Remove();
  in_use_ = true;
}

uint64_t Reserve::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

uint64_t Reserve::wanted_bytes() const {
  MutexLock lock(mutex_);
  return wanted_;
}

bool Reserve::in_use() const {
  MutexLock lock(mutex_);
  return in_use_;
}

}  // namespace tidemark::storage::disk
