// RejectionLog: the last rows that were not written, for a person who asks why a point is missing. A ring: the oldest
// entry gives way. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/timestamp.h"

namespace tidemark::write_path {

struct LoggedRejection {
  uint64_t number = 0;  // counts all that were ever added, from 1 on: a gap shows what was overwritten
  model::Timestamp at;  // when it was rejected
  std::string database;
  std::string source;  // model::Batch::source, "" for this process
  std::string sender;  // cut to kMaxSenderBytes
  uint32_t line = 0;   // in the request, 1-based
  Error error;         // its message cut to kMaxMessageBytes
};

class RejectionLog {
 public:
  static constexpr size_t kMaxMessageBytes = 512;
  static constexpr size_t kMaxSenderBytes = 128;

  // Where a rejected row stood.
  struct Place {
    std::string_view database;
    std::string_view source = {};
    std::string_view sender = {};
    uint32_t line = 0;
  };

  // Keeps the last `capacity` entries. At least 1.
  explicit RejectionLog(size_t capacity);

  void Add(model::Timestamp at, const Place& place, const Error& error);

  // The last `limit` entries, newest first.
  [[nodiscard]] std::vector<LoggedRejection> Newest(size_t limit) const;

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  std::vector<LoggedRejection> ring_ TM_GUARDED_BY(mutex_);
  uint64_t added_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::write_path
