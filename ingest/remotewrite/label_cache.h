// LabelCache: which series labels a decoder has found valid, and where in them the metric name stands. Labels are known
// by their 128-bit keyed hash alone (two that share one would be one series to the store as well).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/base/hash.h"

namespace tidemark::remotewrite {

// Direct-mapped: labels that need the place of others take it. Grows with what it sees, up to kMaxEntries.
class LabelCache {
 public:
  static constexpr size_t kMinEntries = size_t{1} << 10;
  static constexpr size_t kMaxEntries = size_t{1} << 18;  // 6 MiB

  struct Entry {
    Hash128 hash;
    uint32_t name_offset = 0;  // of the value of __name__, from the start of the labels
    uint32_t name_size = 0;    // 0: the entry is empty, as no valid series has an empty name
  };

  LabelCache() : entries_(kMinEntries) {}

  // The entry of these labels, or null.
  [[nodiscard]] const Entry* Find(const Hash128& hash) const {
    const Entry& entry = entries_[Slot(hash)];
    return entry.name_size > 0 && entry.hash == hash ? &entry : nullptr;
  }

  void Prefetch(const Hash128& hash) const { __builtin_prefetch(&entries_[Slot(hash)]); }

  void Insert(const Entry& entry) {
    if (++misses_ > entries_.size() / 2 && entries_.size() < kMaxEntries) Grow();
    entries_[Slot(entry.hash)] = entry;
  }

 private:
  [[nodiscard]] size_t Slot(const Hash128& hash) const { return hash.low & (entries_.size() - 1); }
  void Grow() {
    std::vector<Entry> old(entries_.size() * 4);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.name_size > 0) entries_[Slot(entry.hash)] = entry;
    }
    misses_ = 0;
  }

  std::vector<Entry> entries_;
  size_t misses_ = 0;
};

}  // namespace tidemark::remotewrite
