#include "storage/journal/segment_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "storage/base/failure_point.h"
#include "storage/journal/sync_directory.h"

namespace tidemark::journal {
namespace {
constexpr std::string_view kSuffix = ".tmj";
constexpr size_t kNumberDigits = 16;
}  // namespace

std::string SegmentPath(const std::string& directory, uint64_t number) {
  return fmt::format("{}/{:016x}{}", directory, number, kSuffix);
}

std::string UnfinishedSegmentPath(const std::string& directory, uint64_t number) {
  return SegmentPath(directory, number) + ".new";
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
                                                             const std::string& directory,
                                                             const SegmentHeader& header) {
  const rocksdb::IOOptions io;
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(file_system, SegmentPath(directory, header.number), header));
  const std::string& path = writer->path_;
  const std::string made = UnfinishedSegmentPath(directory, header.number);
  std::string bytes = header.Encode();
  bytes.resize(static_cast<size_t>(SegmentLengthFor(bytes.size(), header.capacity)), '\0');
  std::unique_ptr<rocksdb::FSWritableFile> created;
  rocksdb::IOStatus status = file_system->NewWritableFile(made, rocksdb::FileOptions(), &created, nullptr);
  if (status.ok()) status = created->Append(bytes, io, nullptr);
  FailurePoint("journal.segment_written");
  if (status.ok()) status = created->Fsync(io, nullptr);
  if (status.ok()) status = created->Close(io, nullptr);
  if (status.ok()) status = file_system->RenameFile(made, path, io, nullptr);
  if (!status.ok()) return FromStatus(status, path);
  TM_RETURN_IF_ERROR(SyncDirectory(file_system, directory));
  status = file_system->NewRandomRWFile(path, rocksdb::FileOptions(), &writer->file_, nullptr);
  if (!status.ok()) return FromStatus(status, path);
  writer->mark_ = FileMark::Of(path);
  MutexLock lock(writer->mutex_);
  writer->filled_ = writer->length_ = bytes.size();
  return writer;
}

Result<void> SegmentWriter::GrowTo(uint64_t bytes) {
  const uint64_t length = SegmentLengthFor(bytes, header_.capacity);
  if (length <= length_) return {};
  // RocksDB's file layer sets a length only through a file of this kind, and not through one that is mapped.
  const rocksdb::IOOptions io;
  rocksdb::FileOptions options;
  options.use_mmap_writes = false;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  rocksdb::IOStatus status = file_system_->ReopenWritableFile(path_, options, &file, nullptr);
  if (status.ok()) status = file->Truncate(length, io, nullptr);
  if (status.ok()) status = file->Close(io, nullptr);
  if (!status.ok()) return FromStatus(status, path_);
  length_ = length;
  return {};
}

Result<void> SegmentWriter::Write(std::string_view records) {
  const uint64_t offset = offset_.load();
  {
    MutexLock lock(mutex_);
    while (filling_ && offset + records.size() > filled_) filled_changed_.Wait(mutex_);
    TM_RETURN_IF_ERROR(GrowTo(offset + records.size()));
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
  if (!mark_.Holds(path_)) {
    return IoError(path_ + ": the segment was removed, or another put in its place, while it was being written");
  }
  return {};
}

bool SegmentWriter::WantsWriteAhead() const {
  MutexLock lock(mutex_);
  return !filling_ && filled_ < header_.capacity && filled_ < offset_ + kSegmentStepBytes / 2;
}

void SegmentWriter::WriteAhead() {
  uint64_t from = 0;
  uint64_t to = 0;
  {
    MutexLock lock(mutex_);
    from = filled_;
    to = SegmentLengthFor(std::min(header_.capacity, filled_ + kSegmentStepBytes), header_.capacity);
    if (filling_ || from >= to || !GrowTo(to).ok()) return;
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
