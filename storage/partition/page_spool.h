// PageSpool: pages that wait until all are made, because a file of pages is written in the order of keys and a fold
// makes them in another one. They wait in memory up to a bound, and beyond it in a file without a name, which goes with
// the spool whatever becomes of the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/partition/working_memory.h"

namespace tidemark::storage::partition {

// Where the bytes of a page lie in a spool; size 0: they are not in one.
struct SpoolPlace {
  uint64_t offset = 0;
  uint32_t bytes = 0;
};

// Thread-safe.
class PageSpool {
 public:
  // At most `memory_bytes` of the pages stay in memory; the others go to a file in `directory`. "": all stay. `memory`,
  // which may be null, counts what is in memory, and outlives the spool.
  PageSpool(std::string directory, uint64_t memory_bytes, WorkingMemory* memory);
  ~PageSpool();
  PageSpool(const PageSpool&) = delete;
  PageSpool& operator=(const PageSpool&) = delete;

  // Takes the bytes of one more page: into the file, and then `*bytes` is empty and the place says where; or not, and
  // they are its holder's to keep. Errors: kResourceExhausted when the disk is full, kIo.
  Result<SpoolPlace> Take(std::string* bytes);
  // Replaces `*bytes`. Errors: kIo.
  Result<void> Read(SpoolPlace place, std::string* bytes) const;
  // Bytes of pages in the file.
  [[nodiscard]] uint64_t file_bytes() const;

 private:
  Result<void> OpenFile() TM_REQUIRES(mutex_);

  const std::string directory_;
  const uint64_t memory_bytes_;
  mutable Mutex mutex_;
  MemoryShare held_ TM_GUARDED_BY(mutex_);
  int file_ TM_GUARDED_BY(mutex_) = -1;
  uint64_t end_ TM_GUARDED_BY(mutex_) = 0;  // of the file
};

}  // namespace tidemark::storage::partition
