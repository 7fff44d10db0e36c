// BlockArena: memory for the segments of one shard. Blocks grow from 64 KiB to 2 MiB and ask for huge pages, because a
// full shard is written in random order and would otherwise spend its time in TLB misses. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace tidemark::head {

class BlockArena {
 public:
  BlockArena() = default;
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

  // Bytes handed out, the unused rest of the last block not counted.
  [[nodiscard]] size_t used_bytes() const { return full_blocks_bytes_ - static_cast<size_t>(end_ - at_); }

 private:
  struct Free {
    void operator()(char* bytes) const;
  };
  char* AllocateSlow(size_t count);

  size_t next_block_bytes_ = 64 * 1024;
  size_t full_blocks_bytes_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::vector<std::unique_ptr<char, Free>> blocks_;
};

}  // namespace tidemark::head
