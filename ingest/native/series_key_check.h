// The keys of series in a native batch: which bytes are one, and how they are shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"
#include "storage/base/result.h"

namespace tidemark::native {

// The measurement of a key in model::KeyFormat::kCanonical, of which this protocol takes the one spelling that each
// series has: a measurement with a name, tags by ascending name, each once, with names and values that are not empty,
// all UTF-8, none called __name__. kInvalidArgument says what is wrong.
Result<std::string_view> CheckKey(std::string_view key, size_t max_bytes);

// As line protocol writes it; bytes that are no key as \xNN. At most some 512 bytes.
std::string PrintKey(std::string_view key);

// KnownKeys: hashes of keys that CheckKey has taken, so that a series which comes again is not looked at again. Keys
// that need the place of others take it. Not thread-safe.
class KnownKeys {
 public:
  static constexpr size_t kMinEntries = size_t{1} << 10;
  static constexpr size_t kMaxEntries = size_t{1} << 18;  // 4 MiB

  KnownKeys() : entries_(kMinEntries) {}

  [[nodiscard]] bool Has(const Hash128& hash) const { return entries_[Slot(hash)] == hash; }
  void Add(const Hash128& hash) {
    if (++added_ > entries_.size() / 2 && entries_.size() < kMaxEntries) Grow();
    entries_[Slot(hash)] = hash;
  }

 private:
  [[nodiscard]] size_t Slot(const Hash128& hash) const { return hash.low & (entries_.size() - 1); }
  void Grow();

  std::vector<Hash128> entries_;
  size_t added_ = 0;
};

}  // namespace tidemark::native
