#include "storage/head/block_arena.h"

#include <algorithm>
#include <utility>

namespace tidemark::head {

BlockArena::~BlockArena() {
  if (!pool_) return;
  for (Bytes& block : blocks_) pool_->Give(std::move(block));
}

char* BlockArena::AllocateSlow(size_t count) {
  constexpr size_t kPageBytes = 4096;
  const size_t wanted = std::max(count, next_block_bytes_);
  const size_t size = (wanted + kPageBytes - 1) / kPageBytes * kPageBytes;
  Bytes block = size == kBlockBytes && pool_ ? pool_->Take() : AllocateBytes(size);
  char* const bytes = block.get();
  (size == kBlockBytes ? blocks_ : odd_blocks_).push_back(std::move(block));
  held_bytes_ += size;
  next_block_bytes_ = std::min(kBlockBytes, next_block_bytes_ * 2);
  at_ = bytes + count;
  end_ = bytes + size;
  return bytes;
}

}  // namespace tidemark::head
