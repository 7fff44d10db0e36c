#include "clients/cpp/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tidemark::client {
namespace {

constexpr std::string_view kMagic = "TMSPOOL1";
constexpr std::string_view kSuffix = ".spool";
constexpr size_t kNumberDigits = 20;
constexpr size_t kHeadBytes = 20;
// No writer makes a larger one; a length beyond it is damage.
constexpr uint32_t kMaxLinesBytes = uint32_t{1} << 30;

struct Head {
  uint64_t checksum = 0;
  uint32_t lines = 0;
  uint16_t database = 0;
  uint16_t write_id = 0;
  uint32_t points = 0;
  [[nodiscard]] uint64_t record_bytes() const { return uint64_t{kHeadBytes} + database + write_id + lines; }
};

template <typename T>
void Put(T value, char* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

template <typename T>
T Get(const char* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return static_cast<T>(value);
}

Head ReadHead(const char* bytes) {
  return {Get<uint64_t>(bytes), Get<uint32_t>(bytes + 8), Get<uint16_t>(bytes + 12), Get<uint16_t>(bytes + 14),
          Get<uint32_t>(bytes + 16)};
}

std::string Encode(const Batch& batch) {
  std::string out(kHeadBytes, '\0');
  Put(static_cast<uint32_t>(batch.lines.size()), out.data() + 8);
  Put(static_cast<uint16_t>(batch.database.size()), out.data() + 12);
  Put(static_cast<uint16_t>(batch.write_id.size()), out.data() + 14);
  Put(static_cast<uint32_t>(batch.points), out.data() + 16);
  out.reserve(kHeadBytes + batch.database.size() + batch.write_id.size() + batch.lines.size());
  out += batch.database;
  out += batch.write_id;
  out += batch.lines;
  Put(XXH3_64bits(out.data() + 8, out.size() - 8), out.data());
  return out;
}

Error Failed(std::string_view what, const std::filesystem::path& path) {
  return {ErrorCode::kIo, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// Whether `size` bytes could be read at `offset`.
bool ReadAll(int fd, uint64_t offset, char* out, size_t size) {
  while (size > 0) {
    const ssize_t got = pread(fd, out, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    size -= static_cast<size_t>(got);
    offset += static_cast<uint64_t>(got);
  }
  return true;
}

void CloseFd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// The number in a segment's name; nothing for another file.
std::optional<uint64_t> NumberOf(const std::string& name) {
  if (name.size() != kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t number = 0;
  for (size_t i = 0; i < kNumberDigits; ++i) {
    if (name[i] < '0' || name[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(name[i] - '0');
  }
  return number;
}

}  // namespace

std::filesystem::path Spool::PathOf(uint64_t number) const {
  std::string digits = std::to_string(number);
  digits.insert(0, kNumberDigits - digits.size(), '0');
  return std::filesystem::path(options_.directory) / (digits + std::string(kSuffix));
}

Result<std::unique_ptr<Spool>> Spool::Open(const SpoolOptions& options) {
  if (options.directory.empty()) return Error{ErrorCode::kInvalidArgument, "the spool needs a directory"};
  SpoolOptions checked = options;
  checked.segment_bytes = std::min(options.segment_bytes, options.max_bytes / 4);
  if (checked.segment_bytes == 0) return Error{ErrorCode::kInvalidArgument, "the spool has no room: max_bytes < 4"};
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) {
    return Error{ErrorCode::kIo, "cannot create the spool " + options.directory + ": " + error.message()};
  }
  std::unique_ptr<Spool> spool(new Spool(checked));
  if (Status locked = spool->Lock(); !locked.ok()) return locked.error();
  if (Status scanned = spool->Scan(); !scanned.ok()) return scanned.error();
  return spool;
}

Spool::~Spool() {
  CloseFd(&write_fd_);
  CloseFd(&read_fd_);
  CloseFd(&lock_fd_);
}

Status Spool::Lock() {
  const auto path = std::filesystem::path(options_.directory) / "lock";
  lock_fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return Failed("cannot open", path);
  if (flock(lock_fd_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return Failed("cannot lock", path);
  return Error{ErrorCode::kUnavailable, "the spool " + options_.directory + " is in use by another writer"};
}

Status Spool::Scan() {
  std::vector<uint64_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator it(options_.directory, error), end; !error && it != end;
       it.increment(error)) {
    if (const auto number = NumberOf(it->path().filename().string())) numbers.push_back(*number);
  }
  if (error) return Error{ErrorCode::kIo, "cannot list the spool " + options_.directory + ": " + error.message()};
  std::sort(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) {
    next_number_ = number + 1;
    if (Status scanned = ScanSegment(number); !scanned.ok()) return scanned;
  }
  ShowFront();
  return {};
}

// Counts a segment by the lengths in it. Checksums are looked at when a record is read.
Status Spool::ScanSegment(uint64_t number) {
  const auto path = PathOf(number);
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed("cannot open", path);
  struct stat info{};
  if (fstat(fd, &info) != 0) {
    const Error failed = Failed("cannot stat", path);
    CloseFd(&fd);
    return failed;
  }
  Segment segment{.number = number, .bytes = static_cast<uint64_t>(info.st_size)};
  std::array<char, kHeadBytes> bytes{};
  uint64_t offset = 0;
  if (ReadAll(fd, 0, bytes.data(), kMagic.size()) && std::string_view(bytes.data(), kMagic.size()) == kMagic) {
    offset = kMagic.size();
    while (ReadAll(fd, offset, bytes.data(), kHeadBytes)) {
      const Head head = ReadHead(bytes.data());
      if (head.lines > kMaxLinesBytes || offset + head.record_bytes() > segment.bytes) break;
      offset += head.record_bytes();
      ++segment.batches;
      segment.points += head.points;
    }
  }
  CloseFd(&fd);
  stats_.damaged_bytes += segment.bytes - offset;
  if (segment.batches == 0) {
    // What stays is found empty again the next time.
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
    return {};
  }
  stats_.bytes += segment.bytes;
  stats_.batches += segment.batches;
  stats_.points += segment.points;
  segments_.push_back(segment);
  return {};
}

Status Spool::StartSegment() {
  CloseFd(&write_fd_);
  const auto path = PathOf(next_number_);
  write_fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (write_fd_ < 0) return Failed("cannot create", path);
  if (!WriteAll(write_fd_, kMagic)) {
    const Error failed = Failed("cannot write", path);
    CloseFd(&write_fd_);
    unlink(path.c_str());
    return failed;
  }
  if (options_.sync) {
    int directory = open(options_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fsync(directory) != 0) {
      const Error failed = Failed("cannot sync", options_.directory);
      CloseFd(&directory);
      CloseFd(&write_fd_);
      unlink(path.c_str());
      return failed;
    }
    CloseFd(&directory);
  }
  segments_.push_back({.number = next_number_, .bytes = kMagic.size()});
  stats_.bytes += kMagic.size();
  ++next_number_;
  return {};
}

Result<Spool::Dropped> Spool::Append(const Batch& batch) {
  const std::string record = Encode(batch);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (record.size() + kMagic.size() > options_.max_bytes || batch.lines.size() > kMaxLinesBytes ||
      batch.database.size() > UINT16_MAX || batch.write_id.size() > UINT16_MAX) {
    return Error{ErrorCode::kInvalidArgument, "a batch of " + std::to_string(record.size()) +
                                                  " bytes does not fit into the spool " + options_.directory};
  }
  Dropped dropped;
  while (!segments_.empty() && stats_.bytes + record.size() + kMagic.size() > options_.max_bytes) {
    dropped.batches += segments_.front().batches;
    dropped.points += segments_.front().points;
    DropFront();
  }
  if (write_fd_ < 0 || segments_.back().bytes >= options_.segment_bytes) {
    if (Status started = StartSegment(); !started.ok()) {
      ShowFront();
      return started.error();
    }
  }
  Segment& segment = segments_.back();
  if (!WriteAll(write_fd_, record) || (options_.sync && fdatasync(write_fd_) != 0)) {
    const Error failed = Failed("cannot write", PathOf(segment.number));
    // Half a record must not stand in front of the next one.
    if (ftruncate(write_fd_, static_cast<off_t>(segment.bytes)) != 0) CloseFd(&write_fd_);
    if (segment.batches == 0) {
      CloseFd(&write_fd_);
      unlink(PathOf(segment.number).c_str());
      stats_.bytes -= segment.bytes;
      segments_.pop_back();
    }
    ShowFront();
    return failed;
  }
  if (stats_.batches == 0) front_sequence_ = batch.sequence;
  segment.bytes += record.size();
  ++segment.batches;
  segment.points += batch.points;
  stats_.bytes += record.size();
  ++stats_.batches;
  stats_.points += batch.points;
  ShowFront();
  return dropped;
}

// Removes the first segment with whatever is in it.
void Spool::DropFront() {
  const Segment segment = segments_.front();
  CloseFd(&read_fd_);
  if (segments_.size() == 1) CloseFd(&write_fd_);
  read_offset_ = front_size_ = 0;
  std::error_code gone_already;
  std::filesystem::remove(PathOf(segment.number), gone_already);
  front_sequence_ += segment.batches;
  stats_.bytes -= segment.bytes;
  stats_.batches -= segment.batches;
  stats_.points -= segment.points;
  segments_.pop_front();
}

void Spool::GiveUpFront() {
  stats_.damaged_batches += segments_.front().batches;
  stats_.damaged_bytes += segments_.front().bytes - read_offset_;
  DropFront();
}

std::shared_ptr<const Batch> Spool::Front() {
  const std::lock_guard<std::mutex> lock(mutex_);
  while (stats_.batches > 0) {
    if (auto batch = ReadFront()) return batch;
    GiveUpFront();
    ShowFront();
  }
  return nullptr;
}

std::shared_ptr<const Batch> Spool::ReadFront() {
  const Segment& segment = segments_.front();
  if (read_fd_ < 0) {
    read_fd_ = open(PathOf(segment.number).c_str(), O_RDONLY | O_CLOEXEC);
    read_offset_ = kMagic.size();
    if (read_fd_ < 0) return nullptr;
  }
  std::array<char, kHeadBytes> bytes{};
  if (!ReadAll(read_fd_, read_offset_, bytes.data(), kHeadBytes)) return nullptr;
  const Head head = ReadHead(bytes.data());
  if (head.lines > kMaxLinesBytes || read_offset_ + head.record_bytes() > segment.bytes) return nullptr;
  std::string record(static_cast<size_t>(head.record_bytes()), '\0');
  if (!ReadAll(read_fd_, read_offset_, record.data(), record.size())) return nullptr;
  if (XXH3_64bits(record.data() + 8, record.size() - 8) != head.checksum) return nullptr;
  front_size_ = record.size();
  front_points_ = head.points;
  auto batch = std::make_shared<Batch>();
  batch->sequence = front_sequence_;
  batch->points = head.points;
  batch->database = record.substr(kHeadBytes, head.database);
  batch->write_id = record.substr(kHeadBytes + head.database, head.write_id);
  record.erase(0, kHeadBytes + head.database + head.write_id);
  batch->lines = std::move(record);
  return batch;
}

void Spool::Pop(uint64_t sequence) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stats_.batches == 0 || front_sequence_ != sequence) return;
  if (front_size_ == 0 && ReadFront() == nullptr) {
    // Delivered from memory; what was written here cannot be read, and neither can what follows it.
    GiveUpFront();
    ShowFront();
    return;
  }
  Segment& segment = segments_.front();
  read_offset_ += front_size_;
  front_size_ = 0;
  segment.points -= front_points_;
  stats_.points -= front_points_;
  --segment.batches;
  --stats_.batches;
  ++front_sequence_;
  if (segment.batches == 0) DropFront();
  ShowFront();
}

SpoolStats Spool::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

}  // namespace tidemark::client
