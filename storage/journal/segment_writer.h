// SegmentWriter: the segment file that records are being written to. Used by one thread at a time, except for
// WriteAhead, which may run beside Write.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/file_mark.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/journal/segment_format.h"

namespace tidemark::journal {

class SegmentWriter {
 public:
  // Makes the file with its header and its first zeros, syncs it and its directory. Under its name it is there whole or
  // not at all.
  static Result<std::unique_ptr<SegmentWriter>> Create(rocksdb::FileSystem* file_system, const std::string& directory,
                                                       const SegmentHeader& header);

  // Appends sealed records. After an error the segment must not be written again.
  Result<void> Write(std::string_view records);
  // An error also where the file has no name any more, or is another's: what is in it would be lost with this process.
  Result<void> Sync();

  // Fills the file with zeros, a step ahead of the records. Errors are not reported: it is only for speed.
  void WriteAhead();
  [[nodiscard]] bool WantsWriteAhead() const;

  [[nodiscard]] bool Fits(size_t bytes) const { return offset_ + bytes <= header_.capacity; }
  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const FileMark& mark() const { return mark_; }

 private:
  SegmentWriter(rocksdb::FileSystem* file_system, std::string path, const SegmentHeader& header)
      : file_system_(file_system), path_(std::move(path)), header_(header) {}
  // Makes the file longer, at once and by whole steps, so that no crash leaves a length that says nothing.
  Result<void> GrowTo(uint64_t bytes) TM_REQUIRES(mutex_);

  rocksdb::FileSystem* const file_system_;
  const std::string path_;
  const SegmentHeader header_;
  // Written by the writer only; read by whoever wants to know.
  std::atomic<uint64_t> offset_ = kSegmentHeaderBytes;
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  FileMark mark_;

  // Zeros must never land on records: whoever writes past `filled_` waits for the filler.
  mutable Mutex mutex_;
  CondVar filled_changed_;
  uint64_t filled_ TM_GUARDED_BY(mutex_) = kSegmentHeaderBytes;
  uint64_t length_ TM_GUARDED_BY(mutex_) = 0;  // of the file
  bool filling_ TM_GUARDED_BY(mutex_) = false;
};

// "<directory>/0000000000000001.tmj"
std::string SegmentPath(const std::string& directory, uint64_t number);
// What a segment is called until it is whole: nothing but the next writer of it looks at such a file.
std::string UnfinishedSegmentPath(const std::string& directory, uint64_t number);
// The number in such a file name, without the directory; nullopt for other names.
std::optional<uint64_t> SegmentNumber(std::string_view file_name);

// An I/O status as our Error, with the path in front. A full disk is kResourceExhausted, anything else kIo.
Error FromStatus(const rocksdb::IOStatus& status, const std::string& path);

}  // namespace tidemark::journal
