#include "storage/index/regex_cache.h"

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
    if (const Entry* const found = Use(key); found != nullptr) return found->pattern;
  }
  TM_TRY_ASSIGN(std::shared_ptr<const Pattern> pattern, Pattern::Parse(expression));
  MutexLock lock(mutex_);
  Put({.key = key, .pattern = pattern, .evaluation = nullptr, .bytes = kPatternBytes + expression.size()});
  return pattern;
}

std::shared_ptr<const Evaluation> RegexCache::Find(uint32_t label, const std::string& expression) {
  MutexLock lock(mutex_);
  const Entry* const found = Use(EvaluationKey(label, expression));
  return found == nullptr ? nullptr : found->evaluation;
}

void RegexCache::Store(uint32_t label, const std::string& expression, std::shared_ptr<const Evaluation> evaluation) {
  const size_t bytes = evaluation->memory_bytes() + expression.size();
  MutexLock lock(mutex_);
  Put({.key = EvaluationKey(label, expression),
       .pattern = nullptr,
       .evaluation = std::move(evaluation),
       .bytes = bytes});
}

RegexCache::Entry* RegexCache::Use(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &*found->second;
}

void RegexCache::Put(Entry entry) {
  if (Entry* const known = Use(entry.key); known != nullptr) {
    bytes_ -= known->bytes;
    known->pattern = std::move(entry.pattern);
    known->evaluation = std::move(entry.evaluation);
    known->bytes = entry.bytes;
  } else {
    entries_.push_front(std::move(entry));
    by_key_.emplace(entries_.front().key, entries_.begin());
  }
  bytes_ += entries_.front().bytes;
  while (entries_.size() > 1 && (entries_.size() > kMaxEntries || bytes_ > max_bytes_)) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.bytes;
    by_key_.erase(oldest.key);
    entries_.pop_back();
  }
}

size_t RegexCache::memory_bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace tidemark::index
