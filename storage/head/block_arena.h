// BlockArena: memory for the chunks of one shard. Blocks grow from 64 KiB to the 2 MiB of a huge page, because a full
// shard is written in random order and would otherwise spend its time in TLB misses. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "storage/head/block_pool.h"

namespace tidemark::head {

class BlockArena {
 public:
  // Full-size blocks come from `pool` and go back to it; null: from the system.
  explicit BlockArena(std::shared_ptr<BlockPool> pool) : pool_(std::move(pool)) {}
  ~BlockArena();
  BlockArena(const BlockArena&) = delete;
  BlockArena& operator=(const BlockArena&) = delete;

  // `count` bytes aligned to 8, uninitialised, at a stable address.
  char* Allocate(size_t count) {
    count = (count + 7) & ~size_t{7};
    if (count > static_cast<size_t>(end_ - at_)) [[unlikely]]
      return AllocateSlow(count);
    char* const out = at_;
    at_ += count;
    return out;
  }

  // Bytes held, the unused rest of the last block not counted.
  [[nodiscard]] size_t used_bytes() const { return held_bytes_ - static_cast<size_t>(end_ - at_); }

 private:
  char* AllocateSlow(size_t count);

  const std::shared_ptr<BlockPool> pool_;
  size_t next_block_bytes_ = 64 * 1024;
  size_t held_bytes_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::vector<Bytes> odd_blocks_;  // of other sizes
  std::vector<Bytes> blocks_;      // of kBlockBytes
};

}  // namespace tidemark::head
