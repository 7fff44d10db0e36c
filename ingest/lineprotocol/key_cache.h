// KeyCache: which series keys a parser has found valid, and the shape of the last row of each. Keys are known by their
// 128-bit keyed hash alone (two keys that share one would be one series to the store as well).
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/hash.h"

namespace tidemark::lineprotocol {

// Direct-mapped: a key that needs the place of another one takes it. Grows with what it sees, up to kMaxEntries.
class KeyCache {
 public:
  static constexpr size_t kMinEntries = size_t{1} << 10;
  static constexpr size_t kMaxEntries = size_t{1} << 18;  // 6 MiB
  static constexpr uint32_t kNoShape = UINT32_MAX;

  struct Entry {
    Hash128 hash;
    uint32_t shape = kNoShape;  // in the parser's LineShapeCache
  };

  KeyCache() : entries_(kMinEntries) {}

  // The entry where a key of this hash is or would be: compare its hash.
  [[nodiscard]] Entry& At(Hash128 hash) { return entries_[hash.low & (entries_.size() - 1)]; }

  // Makes room for one more key; call it before an entry of another hash is overwritten.
  void CountMiss() {
    if (++misses_ > entries_.size() / 2 && entries_.size() < kMaxEntries) Grow();
  }

  void ForgetShapes() {
    for (Entry& entry : entries_) entry.shape = kNoShape;
  }

 private:
  void Grow() {
    std::vector<Entry> old(entries_.size() * 4);
    old.swap(entries_);
    for (const Entry& entry : old) At(entry.hash) = entry;
    misses_ = 0;
  }

  std::vector<Entry> entries_;
  size_t misses_ = 0;
};

}  // namespace tidemark::lineprotocol
