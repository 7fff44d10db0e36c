#include "storage/index/dictionary.h"

#include <algorithm>

#include "storage/base/hash.h"

namespace tidemark::index {
namespace {

constexpr size_t kFirstBlocks = 1024;
constexpr size_t kBlock = size_t{64} << 10;

}  // namespace

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

const char* Dictionary::CopyText(std::string_view text) {
  // Small at first, because a process may have many databases with few names.
  if (text.size() > static_cast<size_t>(text_end_ - text_at_)) {
    const size_t block = std::max(text.size(), text_blocks_.size() < 4 ? kFirstBlocks : kBlock);
    text_blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    text_at_ = text_blocks_.back().get();
    text_end_ = text_at_ + block;
    text_bytes_ += block;
  }
  char* const copy = text_at_;
  std::copy(text.begin(), text.end(), copy);
  text_at_ += text.size();
  return copy;
}

std::pair<uint32_t, bool> Dictionary::Intern(uint32_t scope, std::string_view text) {
  const uint32_t hash = HashOf(scope, text);
  if (const uint32_t id = FindHashed(hash, scope, text); id != 0) return {id, false};
  entries_.Append({CopyText(text), static_cast<uint32_t>(text.size()), scope});
  table_.Insert(hash, size());
  return {size(), true};
}

uint32_t Dictionary::Renew(uint32_t scope, std::string_view text) {
  const uint32_t hash = HashOf(scope, text);
  const uint32_t known = FindHashed(hash, scope, text);
  entries_.Append(Entry(entries_[known - 1]));
  table_.Replace(hash, known, size());
  return size();
}

}  // namespace tidemark::index
