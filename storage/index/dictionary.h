// Dictionary: gives texts dense ids from 1 on, and keeps one copy of each. A text is unique within a scope (the label
// of a value, the measurement of a field); dictionaries that need no scopes use 0. Not thread-safe; the views that it
// hands out live as long as the dictionary and never move.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/index/chunked_vector.h"
#include "storage/index/id_table.h"

namespace tidemark::index {

class Dictionary {
 public:
  // `seed` keys the hash, so that hostile texts cannot be chosen to collide.
  explicit Dictionary(uint64_t seed) : seed_(seed) {}

  // The id of a text, 0 when it is unknown.
  [[nodiscard]] uint32_t Find(uint32_t scope, std::string_view text) const;
  // The id, and whether it is new.
  std::pair<uint32_t, bool> Intern(uint32_t scope, std::string_view text);

  // Gives a text that has an id a new one, under which it is found from now on. The older one keeps its text.
  uint32_t Renew(uint32_t scope, std::string_view text);

  // For ids in [1, size()].
  [[nodiscard]] std::string_view Text(uint32_t id) const {
    const Entry& entry = entries_[id - 1];
    return {entry.data, entry.size};
  }
  [[nodiscard]] uint32_t Scope(uint32_t id) const { return entries_[id - 1].scope; }

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  void Reserve(size_t count) { table_.Reserve(count); }
  [[nodiscard]] size_t memory_bytes() const { return table_.memory_bytes() + entries_.memory_bytes() + text_bytes_; }

 private:
  struct Entry {
    const char* data = nullptr;
    uint32_t size = 0;
    uint32_t scope = 0;
  };

  [[nodiscard]] uint32_t HashOf(uint32_t scope, std::string_view text) const;
  const char* CopyText(std::string_view text);
  [[nodiscard]] uint32_t FindHashed(uint32_t hash, uint32_t scope, std::string_view text) const;

  uint64_t seed_;
  IdTable table_;
  ChunkedVector<Entry> entries_;

  // Texts, end to end: an Arena would round each up to 8 bytes.
  std::vector<std::unique_ptr<char[]>> text_blocks_;
  char* text_at_ = nullptr;
  char* text_end_ = nullptr;
  size_t text_bytes_ = 0;
};

}  // namespace tidemark::index
