#include "storage/index/regex_cache.h"

#include <algorithm>
#include <utility>

#include "storage/base/bytes.h"

namespace tidemark::index {
namespace {

constexpr size_t kMaxEntries = 1024;
// What a compiled expression may take: RE2 builds its automaton while it runs.
constexpr size_t kPatternBytes = 16 * 1024;

std::string PatternKey(const std::string& expression) { return "p" + expression; }

std::string EvaluationKey(uint32_t label, const std::string& expression) {
  std::string key = "e";
  PutBig(&key, label);
  return key + expression;
}

}  // namespace

size_t Evaluation::memory_bytes() const {
  return sizeof(*this) + matching.capacity() * sizeof(uint32_t) +
         (series == nullptr ? 0 : roaring_bitmap_size_in_bytes(series.get()));
}

Result<std::shared_ptr<const Pattern>> RegexCache::PatternOf(const std::string& expression) {
  const std::string key = PatternKey(expression);
  {
    MutexLock lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      found->second.used = ++uses_;
      return found->second.pattern;
    }
  }
  TM_TRY_ASSIGN(std::shared_ptr<const Pattern> pattern, Pattern::Parse(expression));
  MutexLock lock(mutex_);
  Put(key, {.pattern = pattern, .evaluation = nullptr, .bytes = kPatternBytes + expression.size()});
  return pattern;
}

std::shared_ptr<const Evaluation> RegexCache::Find(uint32_t label, const std::string& expression) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(EvaluationKey(label, expression));
  if (found == entries_.end()) return nullptr;
  found->second.used = ++uses_;
  return found->second.evaluation;
}

void RegexCache::Store(uint32_t label, const std::string& expression, std::shared_ptr<const Evaluation> evaluation) {
  const size_t bytes = evaluation->memory_bytes() + expression.size();
  MutexLock lock(mutex_);
  Put(EvaluationKey(label, expression), {.pattern = nullptr, .evaluation = std::move(evaluation), .bytes = bytes});
}

void RegexCache::Put(const std::string& key, Entry entry) {
  entry.used = ++uses_;
  Entry& slot = entries_[key];
  bytes_ += entry.bytes - slot.bytes;
  slot = std::move(entry);
  while (entries_.size() > 1 && (entries_.size() > kMaxEntries || bytes_ > max_bytes_)) {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    bytes_ -= oldest->second.bytes;
    entries_.erase(oldest);
  }
}

size_t RegexCache::memory_bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace tidemark::index
