#include "storage/partition/page_spool.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tidemark::storage::partition {
namespace {

Error Failed(std::string_view what, const std::string& directory, int error) {
  std::string message = fmt::format("{} in {}: {}", what, directory, std::strerror(error));
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return MakeError(full ? ErrorCode::kResourceExhausted : ErrorCode::kIo, std::move(message));
}

}  // namespace

PageSpool::PageSpool(std::string directory, uint64_t memory_bytes, WorkingMemory* memory)
    : directory_(std::move(directory)), memory_bytes_(memory_bytes), held_(memory) {}

PageSpool::~PageSpool() {
  MutexLock lock(mutex_);
  if (file_ >= 0) ::close(file_);
}

Result<void> PageSpool::OpenFile() {
  if (file_ >= 0) return {};
  file_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    // Not every file system has files without a name.
    std::string path = directory_ + "/spool-XXXXXX";
    file_ = ::mkostemp(path.data(), O_CLOEXEC);
    if (file_ >= 0) ::unlink(path.c_str());
  }
  if (file_ < 0) return Failed("making a file for pages that wait", directory_, errno);
  return {};
}

Result<SpoolPlace> PageSpool::Take(std::string* bytes) {
  SpoolPlace place;
  int file = -1;
  {
    MutexLock lock(mutex_);
    if (directory_.empty() || held_.bytes() + bytes->size() <= memory_bytes_) {
      held_.Set(held_.bytes() + bytes->size());
      return place;
    }
    TM_RETURN_IF_ERROR(OpenFile());
    file = file_;
    place = {end_, static_cast<uint32_t>(bytes->size())};
    end_ += bytes->size();
  }
  for (size_t done = 0; done < bytes->size();) {
    const ssize_t written =
        ::pwrite(file, bytes->data() + done, bytes->size() - done, static_cast<off_t>(place.offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failed("writing pages that wait", directory_, written < 0 ? errno : ENOSPC);
    done += static_cast<size_t>(written);
  }
  std::string().swap(*bytes);
  return place;
}

Result<void> PageSpool::Read(SpoolPlace place, std::string* bytes) const {
  int file = -1;
  {
    MutexLock lock(mutex_);
    file = file_;
  }
  bytes->resize(place.bytes);
  for (size_t done = 0; done < bytes->size();) {
    const ssize_t read =
        ::pread(file, bytes->data() + done, bytes->size() - done, static_cast<off_t>(place.offset + done));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return Failed("reading pages that wait", directory_, read < 0 ? errno : EIO);
    done += static_cast<size_t>(read);
  }
  return {};
}

uint64_t PageSpool::file_bytes() const {
  MutexLock lock(mutex_);
  return end_;
}

}  // namespace tidemark::storage::partition
