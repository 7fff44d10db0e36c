#include "storage/index/dictionary.h"

#include "storage/base/hash.h"

namespace tidemark::index {

uint32_t Dictionary::HashOf(uint32_t scope, std::string_view text) const {
  return static_cast<uint32_t>(Hash64(text, seed_ + scope) >> 32);
}

uint32_t Dictionary::FindHashed(uint32_t hash, uint32_t scope, std::string_view text) const {
  return table_.Find(hash, [&](uint32_t id) {
    const Entry& entry = entries_[id - 1];
    return entry.scope == scope && std::string_view(entry.data, entry.size) == text;
  });
}

uint32_t Dictionary::Find(uint32_t scope, std::string_view text) const {
  return FindHashed(HashOf(scope, text), scope, text);
}

std::pair<uint32_t, bool> Dictionary::Intern(uint32_t scope, std::string_view text) {
  const uint32_t hash = HashOf(scope, text);
  if (const uint32_t id = FindHashed(hash, scope, text); id != 0) return {id, false};
  const std::string_view copy = arena_.Copy(text);
  entries_.Append({copy.data(), static_cast<uint32_t>(copy.size()), scope});
  table_.Insert(hash, size());
  return {size(), true};
}

}  // namespace tidemark::index
