#include "storage/head/block_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace tidemark::head {
namespace {
constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr size_t kPageBytes = 4096;
}  // namespace

void BlockArena::Free::operator()(char* bytes) const { std::free(bytes); }

char* BlockArena::AllocateSlow(size_t count) {
  const size_t wanted = std::max(count, next_block_bytes_);
  const size_t alignment = wanted >= kHugePageBytes ? kHugePageBytes : kPageBytes;
  const size_t size = (wanted + alignment - 1) / alignment * alignment;
  auto* const bytes = static_cast<char*>(std::aligned_alloc(alignment, size));
  if (bytes == nullptr) throw std::bad_alloc();
  // A hint only: without huge pages everything still works.
  if (alignment == kHugePageBytes) madvise(bytes, size, MADV_HUGEPAGE);
  blocks_.emplace_back(bytes);
  full_blocks_bytes_ += size;
  next_block_bytes_ = std::min(kHugePageBytes, next_block_bytes_ * 2);
  at_ = bytes + count;
  end_ = bytes + size;
  return bytes;
}

}  // namespace tidemark::head
