#include "storage/journal/segment_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "storage/base/failure_point.h"

namespace tidemark::journal {
namespace {
constexpr std::string_view kSuffix = ".tmj";
constexpr size_t kNumberDigits = 16;
}  // namespace

std::string SegmentPath(const std::string& directory, uint64_t number) {
  return fmt::format("{}/{:016x}{}", directory, number, kSuffix);
}

std::optional<uint64_t> SegmentNumber(std::string_view file_name) {
  if (file_name.size() != kNumberDigits + kSuffix.size() || !file_name.ends_with(kSuffix)) return std::nullopt;
  uint64_t number = 0;
  const char* const end = file_name.data() + kNumberDigits;
  const auto [at, error] = std::from_chars(file_name.data(), end, number, 16);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

Error FromStatus(const rocksdb::IOStatus& status, const std::string& path) {
  return {status.IsNoSpace() ? ErrorCode::kResourceExhausted : ErrorCode::kIo, path + ": " + status.ToString()};
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(rocksdb::FileSystem* file_system,
                                                             const std::string& directory, const SegmentHeader& header,
                                                             uint64_t capacity) {
  const rocksdb::IOOptions io;
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(SegmentPath(directory, header.number), header, capacity));
  const std::string& path = writer->path_;
  std::unique_ptr<rocksdb::FSWritableFile> created;
  rocksdb::IOStatus status = file_system->NewWritableFile(path, rocksdb::FileOptions(), &created, nullptr);
  if (status.ok()) status = created->Append(header.Encode(), io, nullptr);
  FailurePoint("journal.segment_written");
  if (status.ok()) status = created->Fsync(io, nullptr);
  if (status.ok()) status = created->Close(io, nullptr);
  std::unique_ptr<rocksdb::FSDirectory> parent;
  if (status.ok()) status = file_system->NewDirectory(directory, io, &parent, nullptr);
  if (status.ok()) status = parent->Fsync(io, nullptr);
  if (status.ok()) status = file_system->NewRandomRWFile(path, rocksdb::FileOptions(), &writer->file_, nullptr);
  if (!status.ok()) return FromStatus(status, path);
  return writer;
}

Result<void> SegmentWriter::Write(std::string_view records) {
  const uint64_t offset = offset_.load();
  {
    MutexLock lock(mutex_);
    while (filling_ && offset + records.size() > filled_) filled_changed_.Wait(mutex_);
    filled_ = std::max(filled_, offset + records.size());
  }
  const rocksdb::IOStatus status =
      file_->Write(offset, rocksdb::Slice(records.data(), records.size()), rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return FromStatus(status, path_);
  offset_.store(offset + records.size());
  return {};
}

Result<void> SegmentWriter::Sync() {
  const rocksdb::IOStatus status = file_->Sync(rocksdb::IOOptions(), nullptr);
  if (!status.ok()) return FromStatus(status, path_);
  return {};
}

bool SegmentWriter::WantsWriteAhead(uint64_t bytes) const {
  MutexLock lock(mutex_);
  return !filling_ && filled_ < capacity_ && filled_ < offset_ + bytes / 2;
}

void SegmentWriter::WriteAhead(uint64_t bytes) {
  uint64_t from = 0;
  uint64_t to = 0;
  {
    MutexLock lock(mutex_);
    from = filled_;
    to = std::min(capacity_, filled_ + bytes);
    if (filling_ || from >= to) return;
    filling_ = true;
  }
  const std::string zeros(static_cast<size_t>(to - from), '\0');
  rocksdb::IOStatus status = file_->Write(from, zeros, rocksdb::IOOptions(), nullptr);
  if (status.ok()) status = file_->Sync(rocksdb::IOOptions(), nullptr);
  MutexLock lock(mutex_);
  filling_ = false;
  // When it failed, the records will find out by themselves; nothing is filled then.
  if (status.ok()) filled_ = std::max(filled_, to);
  filled_changed_.NotifyAll();
}

}  // namespace tidemark::journal
