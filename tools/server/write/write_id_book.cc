#include "tools/server/write/write_id_book.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/log.h"

namespace tidemark::server {
namespace {

constexpr size_t kRecordBytes = 48;
// The hash of ids and digests is the same on every start.
constexpr uint64_t kSeed = 0x7769'6462'6f6f'6b31;
// The file is written anew when it has so many records for each id that may be kept: a promise and an end, twice.
constexpr uint64_t kRecordsPerId = 4;

Error FileError(std::string_view what, const std::string& path, int code) {
  return IoError(fmt::format("{} {}: {}", what, path, std::strerror(code)));
}

// All of `bytes`; false with errno.
bool WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

class UniqueFile {
 public:
  explicit UniqueFile(int file) : file_(file) {}
  ~UniqueFile() {
    if (file_ >= 0) ::close(file_);
  }
  UniqueFile(const UniqueFile&) = delete;
  UniqueFile& operator=(const UniqueFile&) = delete;
  [[nodiscard]] int get() const { return file_; }
  int Release() { return std::exchange(file_, -1); }

 private:
  int file_;
};

void SyncFolder(const std::string& path) {
  const UniqueFile folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

}  // namespace

uint64_t DigestOf(const model::Batch& batch) {
  std::string parts;
  const auto add = [&](const void* bytes, size_t size) {
    PutLittle(&parts, Hash64({static_cast<const char*>(bytes), size}, kSeed));
  };
  PutLittle(&parts, uint64_t{batch.rows.size()});
  for (const model::Row& row : batch.rows) {
    PutLittle(&parts, row.key.hash.low);
    PutLittle(&parts, row.time.ns);
    PutLittle(&parts, row.shape);
  }
  for (const model::Shape& shape : batch.shapes) {
    add(shape.measurement.data(), shape.measurement.size());
    for (const model::ShapeField& field : shape.fields) {
      add(field.name.data(), field.name.size());
      parts.push_back(static_cast<char>(field.type));
    }
  }
  add(batch.values.data(), batch.values.size() * sizeof(int64_t));
  add(batch.scales.data(), batch.scales.size());
  for (const std::string_view text : batch.strings) add(text.data(), text.size());
  return Hash64(parts, kSeed);
}

WriteIdBook::Turn::Turn(Turn&& other) noexcept
    : book_(std::exchange(other.book_, nullptr)),
      id_(other.id_),
      busy_(other.busy_),
      time_(other.time_),
      digest_(other.digest_),
      status_(other.status_),
      kept_(other.kept_) {}

WriteIdBook::Turn::~Turn() {
  if (book_ != nullptr && !busy_) book_->End(*this);
}

Result<bool> WriteIdBook::Turn::Repeats(uint64_t digest) const {
  if (status_ == 0) return false;
  if (digest_ != digest) {
    return MakeError(ErrorCode::kConflict,
                     "other rows were written under this X-Write-Id; a request with other rows needs another id");
  }
  book_->repeats_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Result<void> WriteIdBook::Turn::Promise() {
  if (kept_) return {};
  TM_RETURN_IF_ERROR(book_->Promise(*this));
  kept_ = true;
  return {};
}

void WriteIdBook::Turn::Finish(uint64_t digest, uint16_t status) {
  digest_ = digest;
  status_ = status;
  kept_ = true;
  book_->Finish(*this);
}

Result<std::unique_ptr<WriteIdBook>> WriteIdBook::Open(const std::string& directory, const WriteIdOptions& options) {
  std::unique_ptr<WriteIdBook> book(new WriteIdBook(directory, options));
  if (!directory.empty()) TM_RETURN_IF_ERROR(book->Load());
  return book;
}

WriteIdBook::~WriteIdBook() {
  MutexLock lock(mutex_);
  if (file_ >= 0) ::close(file_);
}

Status WriteIdBook::Load() {
  MutexLock lock(mutex_);
  if (::mkdir(directory_.c_str(), 0750) != 0 && errno != EEXIST) return FileError("making", directory_, errno);
  const std::string path = directory_ + "/log";
  const UniqueFile file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return FileError("opening", path, errno);
  std::string bytes;
  char piece[16'384];
  while (true) {
    const ssize_t got = ::read(file.get(), piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("reading", path, errno);
    if (got == 0) break;
    bytes.append(piece, static_cast<size_t>(got));
  }
  size_t at = 0;
  for (; at + kRecordBytes <= bytes.size(); at += kRecordBytes) {
    const std::string_view all = std::string_view(bytes).substr(at, kRecordBytes);
    ByteReader reader(all);
    if (reader.Little<uint64_t>() != Hash64(all.substr(8), kSeed)) break;
    Record record;
    record.id.low = reader.Little<uint64_t>();
    record.id.high = reader.Little<uint64_t>();
    record.digest = reader.Little<uint64_t>();
    record.time_ns = reader.Little<int64_t>();
    record.status = reader.Little<uint16_t>();
    Take(record);
  }
  if (at < bytes.size()) {
    TM_LOG(kWarn, "{}: {} bytes at its end are no records, as after a power cut; they are left out", path,
           bytes.size() - at);
  }
  return Rewrite();
}

void WriteIdBook::Take(const Record& record) {
  const auto [at, is_new] = entries_.try_emplace(record.id);
  at->second.record = record;
  if (is_new) {
    ages_.push_back(record.id);
    at->second.age = std::prev(ages_.end());
  }
}

void WriteIdBook::Forget(int64_t now_ns) {
  for (auto age = ages_.begin(); age != ages_.end();) {
    const auto at = entries_.find(*age);
    const bool old = at->second.record.time_ns < now_ns - options_.keep_ns;
    if (entries_.size() <= options_.ids_max && !old) break;
    // Those under way are few, and stay.
    if (at->second.busy) {
      ++age;
      continue;
    }
    entries_.erase(at);
    age = ages_.erase(age);
  }
}

Result<uint64_t> WriteIdBook::Append(const Record& record) {
  // Ids under way may be more than are kept, so that the file need not be shorter once it is written anew.
  if (records_ >= kRecordsPerId * std::max(options_.ids_max, entries_.size())) TM_RETURN_IF_ERROR(Rewrite());
  return Put(record);
}

Result<uint64_t> WriteIdBook::Put(const Record& record) {
  std::string body;
  PutLittle(&body, record.id.low);
  PutLittle(&body, record.id.high);
  PutLittle(&body, record.digest);
  PutLittle(&body, record.time_ns);
  PutLittle(&body, record.status);
  body.resize(kRecordBytes - sizeof(uint64_t), '\0');
  std::string all;
  PutLittle(&all, Hash64(body, kSeed));
  all += body;
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (!WriteAll(file_, all)) {
    const int code = errno;
    // A torn record would end the file for those behind it.
    if (end >= 0 && ::ftruncate(file_, end) != 0) return FileError("cutting", directory_ + "/log", errno);
    return FileError("writing", directory_ + "/log", code);
  }
  ++records_;
  return ++appended_;
}

Status WriteIdBook::Rewrite() {
  const std::string path = directory_ + "/log";
  const std::string fresh = path + ".new";
  UniqueFile file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (file.get() < 0) return FileError("opening", fresh, errno);
  const int before = std::exchange(file_, file.get());
  const uint64_t records = std::exchange(records_, 0);
  const auto give_up = [&](Error error) TM_REQUIRES(mutex_) {
    file_ = before;
    records_ = records;
    return error;
  };
  for (const Hash128& id : ages_) {
    const Record& record = entries_.find(id)->second.record;
    if (auto put = Put(record); !put.ok()) return give_up(put.error());
  }
  if (::fdatasync(file.get()) != 0) return give_up(FileError("syncing", fresh, errno));
  if (::rename(fresh.c_str(), path.c_str()) != 0) return give_up(FileError("renaming", fresh, errno));
  SyncFolder(directory_);
  file_ = file.Release();
  if (before >= 0) ::close(before);
  return {};
}

Status WriteIdBook::Sync(uint64_t number) {
  // Whoever comes while another syncs finds his record synced by the next, which takes all that wait.
  MutexLock one(sync_mutex_);
  if (synced_ >= number) return {};
  uint64_t upto = 0;
  int file = -1;
  {
    MutexLock lock(mutex_);
    upto = appended_;
    // A copy: the file may be written anew meanwhile, which syncs what was in this one.
    file = ::fcntl(file_, F_DUPFD_CLOEXEC, 0);
  }
  const UniqueFile copy(file);
  if (copy.get() < 0 || ::fdatasync(copy.get()) != 0) return FileError("syncing", directory_ + "/log", errno);
  synced_ = upto;
  return {};
}

WriteIdBook::Turn WriteIdBook::Begin(std::string_view sender, std::string_view database, std::string_view id,
                                     model::Timestamp now) {
  std::string name;
  PutString(&name, sender);
  PutString(&name, database);
  PutString(&name, id);
  Turn turn;
  turn.book_ = this;
  turn.id_ = HashBytes(name, kSeed);
  MutexLock lock(mutex_);
  Forget(now.ns);
  const auto at = entries_.find(turn.id_);
  if (at == entries_.end()) {
    Take({.id = turn.id_, .digest = 0, .time_ns = now.ns, .status = 0});
    entries_.find(turn.id_)->second.busy = true;
    turn.time_ = now;
    return turn;
  }
  Entry& entry = at->second;
  if (entry.busy) {
    turn.busy_ = true;
    return turn;
  }
  entry.busy = true;
  turn.kept_ = true;
  turn.time_ = {entry.record.time_ns};
  turn.digest_ = entry.record.digest;
  turn.status_ = entry.record.status;
  return turn;
}

Status WriteIdBook::Promise(const Turn& turn) {
  uint64_t number = 0;
  {
    MutexLock lock(mutex_);
    if (directory_.empty()) return {};
    TM_TRY_ASSIGN(number, Append(entries_.find(turn.id_)->second.record));
  }
  return Sync(number);
}

void WriteIdBook::Finish(const Turn& turn) {
  MutexLock lock(mutex_);
  Record& record = entries_.find(turn.id_)->second.record;
  record.digest = turn.digest_;
  record.status = turn.status_;
  if (directory_.empty()) return;
  // Not synced: after a power cut the rows are written again as they are, at the times that were promised.
  if (auto appended = Append(record); !appended.ok()) TM_LOG(kWarn, "{}", appended.error().message);
}

void WriteIdBook::End(const Turn& turn) {
  MutexLock lock(mutex_);
  const auto at = entries_.find(turn.id_);
  if (at == entries_.end()) return;
  at->second.busy = false;
  if (turn.kept_) return;
  ages_.erase(at->second.age);
  entries_.erase(at);
}

size_t WriteIdBook::size() const {
  MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace tidemark::server
