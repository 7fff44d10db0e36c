#include "storage/head/block_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/base/allocation_failure.h"

namespace tidemark::head {

void FreeBytes::operator()(char* bytes) const { std::free(bytes); }

Bytes AllocateBytes(size_t size) {
  constexpr size_t kPageBytes = 4096;
  const size_t alignment = size % kBlockBytes == 0 ? kBlockBytes : kPageBytes;
  auto* const bytes = static_cast<char*>(std::aligned_alloc(alignment, size));
  if (bytes == nullptr) AllocationFailed();
  // A hint only: without huge pages everything still works.
  if (alignment == kBlockBytes) madvise(bytes, size, MADV_HUGEPAGE);
  return Bytes(bytes);
}

Bytes BlockPool::Take() {
  {
    MutexLock lock(mutex_);
    if (!blocks_.empty()) {
      Bytes block = std::move(blocks_.back());
      blocks_.pop_back();
      unused_blocks_ = std::min(unused_blocks_, blocks_.size());
      return block;
    }
  }
  return AllocateBytes(kBlockBytes);
}

void BlockPool::Give(Bytes block) {
  MutexLock lock(mutex_);
  if (blocks_.size() < kept_blocks_) blocks_.push_back(std::move(block));
}

size_t BlockPool::ReleaseUnused() {
  std::vector<Bytes> released;
  MutexLock lock(mutex_);
  released.reserve(unused_blocks_);
  for (; unused_blocks_ > 0; --unused_blocks_) {
    released.push_back(std::move(blocks_.back()));
    blocks_.pop_back();
  }
  unused_blocks_ = blocks_.size();
  return released.size() * kBlockBytes;
}

}  // namespace tidemark::head
