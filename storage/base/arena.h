// Arena: bump allocation of bytes that live until Clear or destruction. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace tidemark {

class Arena {
 public:
  explicit Arena(size_t block_bytes = 16 * 1024) : block_bytes_(block_bytes) {}
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  // `count` bytes, aligned to 8. The address is stable.
  char* Allocate(size_t count) {
    count = (count + 7) & ~size_t{7};
    if (count > static_cast<size_t>(end_ - at_)) return AllocateSlow(count);
    char* const out = at_;
    at_ += count;
    return out;
  }

  // A copy of `bytes` that lives in the arena.
  std::string_view Copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* const out = Allocate(bytes.size());
    std::memcpy(out, bytes.data(), bytes.size());
    return {out, bytes.size()};
  }

  // Frees everything that was allocated. One block is kept for reuse.
  void Clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    if (!blocks_.empty()) {
      at_ = blocks_[0].bytes.get();
      end_ = at_ + blocks_[0].size;
    }
    allocated_bytes_ = blocks_.empty() ? 0 : blocks_[0].size;
  }

  // Bytes held from the system, not bytes handed out.
  [[nodiscard]] size_t allocated_bytes() const { return allocated_bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };

  char* AllocateSlow(size_t count) {
    const size_t size = count > block_bytes_ ? count : block_bytes_;
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    allocated_bytes_ += size;
    at_ = blocks_.back().bytes.get() + count;
    end_ = blocks_.back().bytes.get() + size;
    return blocks_.back().bytes.get();
  }

  size_t block_bytes_;
  size_t allocated_bytes_ = 0;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::vector<Block> blocks_;
};

}  // namespace tidemark
