// SegmentWriter: the segment file that records are being written to. Used by one thread at a time, except for
// WriteAhead, which may run beside Write.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/journal/segment_format.h"

namespace tidemark::journal {

class SegmentWriter {
 public:
  // Creates the file with its header, syncs it and its directory.
  static Result<std::unique_ptr<SegmentWriter>> Create(rocksdb::FileSystem* file_system, const std::string& directory,
                                                       const SegmentHeader& header, uint64_t capacity);

  // Appends sealed records. After an error the segment must not be written again.
  Result<void> Write(std::string_view records);
  Result<void> Sync();

  // Fills the file with zeros up to `bytes` ahead of the records. Errors are not reported: it is only for speed.
  void WriteAhead(uint64_t bytes);
  [[nodiscard]] bool WantsWriteAhead(uint64_t bytes) const;

  [[nodiscard]] bool Fits(size_t bytes) const { return offset_ + bytes <= capacity_; }
  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SegmentWriter(std::string path, const SegmentHeader& header, uint64_t capacity)
      : path_(std::move(path)), header_(header), capacity_(capacity) {}

  const std::string path_;
  const SegmentHeader header_;
  const uint64_t capacity_;
  // Written by the writer only; read by whoever wants to know.
  std::atomic<uint64_t> offset_ = kSegmentHeaderBytes;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;

  // Zeros must never land on records: whoever writes past `filled_` waits for the filler.
  mutable Mutex mutex_;
  CondVar filled_changed_;
  uint64_t filled_ TM_GUARDED_BY(mutex_) = kSegmentHeaderBytes;
  bool filling_ TM_GUARDED_BY(mutex_) = false;
};

// "<directory>/0000000000000001.tmj"
std::string SegmentPath(const std::string& directory, uint64_t number);
// The number in such a file name, without the directory; nullopt for other names.
std::optional<uint64_t> SegmentNumber(std::string_view file_name);

// An I/O status as our Error, with the path in front. A full disk is kResourceExhausted, anything else kIo.
Error FromStatus(const rocksdb::IOStatus& status, const std::string& path);

}  // namespace tidemark::journal
