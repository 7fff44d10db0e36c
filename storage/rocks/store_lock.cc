#include "storage/rocks/store_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <rocksdb/env.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include "storage/rocks/lock_holder.h"
#include "storage/rocks/rocks_status.h"
#include "storage/rocks/store_identity.h"

namespace tidemark::storage::rocks {
namespace {

constexpr std::string_view kNotice = "# Tidemark locks this file while it has the store open. Do not delete it.";

std::string LockPath(const std::string& directory) { return directory + "/LOCK"; }

// Who locked it last, as the file LOCK says. A store that is served read-only is not noted there.
struct Note {
  int process = 0;      // 0: nobody
  std::string address;  // "": none
};

Note ReadNote(const std::string& directory) {
  std::ifstream file(LockPath(directory));
  Note note;
  std::string line;
  while (std::getline(file, line)) {
    const std::string_view text = line;
    if (text.starts_with("pid ")) std::from_chars(text.data() + 4, text.data() + text.size(), note.process);
    if (text.starts_with("address ")) note.address = text.substr(8);
  }
  return note;
}

std::string Describe(const Note& note) {
  return note.address.empty() ? fmt::format("process {}", note.process)
                              : fmt::format("process {} ({})", note.process, note.address);
}

// Who has it: "process 12 (http://127.0.0.1:8428)".
std::string Holder(const std::string& directory) {
  const Note note = ReadNote(directory);
  for (const std::string& path : {directory, LockPath(directory), directory + "/rocksdb/LOCK"}) {
    const std::optional<int> process = LockHolder(path);
    if (!process) continue;
    // Of another process the note says nothing.
    return Describe(*process == note.process ? note : Note{*process, {}});
  }
  const std::string_view unseen = "a process of another container or machine";
  return note.process <= 0 ? std::string(unseen) : fmt::format("{}, {} by the file LOCK", unseen, Describe(note));
}

Error InUse(const std::string& directory) {
  return MakeError(ErrorCode::kUnavailable,
                   fmt::format("{} is in use by {}: stop it first", directory, Holder(directory)));
}

// false: somebody else has it. Where the file system knows no such locks, nobody does.
bool Lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

}  // namespace

StoreLock::~StoreLock() {
  LetRocksDbLock();
  if (file_ >= 0) ::close(file_);
  if (folder_ >= 0) ::close(folder_);
}

void StoreLock::LetRocksDbLock() {
  if (rocks_ != nullptr) rocksdb::Env::Default()->UnlockFile(rocks_).PermitUncheckedError();
  rocks_ = nullptr;
}

Result<void> StoreLock::LockDirectory() {
  folder_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return IoError(fmt::format("{}: {}", directory_, std::strerror(errno)));
  if (!Lock(folder_)) return InUse(directory_);
  file_ = ::open(LockPath(directory_).c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ >= 0 && !Lock(file_)) return InUse(directory_);
  return {};
}

Result<void> StoreLock::LockRocksDb() {
  rocksdb::Env* const env = rocksdb::Env::Default();
  const std::string path = directory_ + "/rocksdb/LOCK";
  // Locking would make the file; whoever has a store open has made it already.
  if (!env->FileExists(path).ok()) return {};
  // It must be open for writing to be locked. Where that cannot be, nobody writes.
  if (::access(path.c_str(), W_OK) != 0 && (errno == EROFS || errno == EACCES)) return {};
  const rocksdb::Status locked = env->LockFile(path, &rocks_);
  if (locked.ok()) return {};
  return IsLockHeld(locked) ? InUse(directory_) : Error(FromRocks(locked, "locking " + path).error());
}

Result<std::unique_ptr<StoreLock>> StoreLock::Take(const std::string& directory) {
  rocksdb::Env* const env = rocksdb::Env::Default();
  const std::string lock = directory + "/rocksdb/LOCK";
  bool trace = false;
  for (const std::string& path : {lock, IdentityPath(directory), directory + "/rocksdb/CURRENT"}) {
    trace = trace || env->FileExists(path).ok();
  }
  if (!trace) {
    return NotFound(
        fmt::format("{} is no data directory: neither {} nor {} is there", directory, IdentityPath(directory), lock));
  }
  TM_TRY_ASSIGN(std::unique_ptr<StoreLock> taken, TakeNew(directory));
  TM_RETURN_IF_ERROR(taken->LockRocksDb());
  return taken;
}

Result<std::unique_ptr<StoreLock>> StoreLock::TakeNew(const std::string& directory) {
  std::unique_ptr<StoreLock> lock(new StoreLock(directory));
  TM_RETURN_IF_ERROR(lock->LockDirectory());
  return lock;
}

Result<void> StoreLock::Announce(const std::string& address) {
  const std::string path = LockPath(directory_);
  if (!announced_) {
    if (file_ >= 0) ::close(file_);
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file_ < 0) return IoError(fmt::format("{}: {}", path, std::strerror(errno)));
    if (!Lock(file_)) return InUse(directory_);
    announced_ = true;
  }
  const std::string text =
      fmt::format("{}\npid {}\n{}", kNotice, ::getpid(), address.empty() ? "" : fmt::format("address {}\n", address));
  // Only a person reads it: on a full disk it says nothing, and locks all the same.
  if (::ftruncate(file_, 0) == 0 && ::pwrite(file_, text.data(), text.size(), 0) < 0) (void)::ftruncate(file_, 0);
  return {};
}

}  // namespace tidemark::storage::rocks
