// BlockPool: 2 MiB blocks of memory that one head set leaves and the next takes, so that the kernel need not hand out
// and zero the same memory again every few seconds (a third of the cost of an append where it was measured).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "storage/base/mutex.h"

namespace tidemark::head {

inline constexpr size_t kBlockBytes = size_t{2} << 20;

// Frees what BlockPool::Take and AllocateBytes return.
struct FreeBytes {
  void operator()(char* bytes) const;
};
using Bytes = std::unique_ptr<char, FreeBytes>;

// `size` bytes from the system, aligned to 4 KiB, or to 2 MiB when it is a multiple of that. Throws std::bad_alloc.
Bytes AllocateBytes(size_t size);

// Thread-safe.
class BlockPool {
 public:
  // Blocks beyond `kept_bytes` go back to the system.
  explicit BlockPool(size_t kept_bytes) : kept_blocks_(kept_bytes / kBlockBytes) {}

  // A block of kBlockBytes with any content.
  Bytes Take() TM_EXCLUDES(mutex_);
  void Give(Bytes block) TM_EXCLUDES(mutex_);

  // Frees the blocks that nobody has needed since the last call, and returns their bytes. Called every few seconds, it
  // keeps what a steady load takes again and again, and lets an idle process become small.
  size_t ReleaseUnused() TM_EXCLUDES(mutex_);

 private:
  const size_t kept_blocks_;
  Mutex mutex_;
  std::vector<Bytes> blocks_ TM_GUARDED_BY(mutex_);
  size_t unused_blocks_ TM_GUARDED_BY(mutex_) = 0;  // the fewest that lay here since the last ReleaseUnused
};

}  // namespace tidemark::head
