// RegexCache: what regular expressions came to, kept between queries: the compiled pattern, which values of a label
// match it, and the series that have those values. Values are only ever added, so an old evaluation is extended, not
// repeated. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/index/id_set.h"
#include "storage/index/pattern.h"

namespace tidemark::index {

// The values of one label that match one pattern. Immutable once shared.
struct Evaluation {
  std::vector<uint32_t> matching;  // ids of label pairs (of metric names, for __name__), ascending
  uint32_t values_seen = 0;        // how many of the label's values have been looked at
  // The series of all matching pairs, as of series_seen series; null when it was not worth building.
  std::shared_ptr<const roaring_bitmap_t> series;
  uint32_t series_seen = 0;

  [[nodiscard]] size_t memory_bytes() const;
};

class RegexCache {
 public:
  explicit RegexCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The pattern of a regular expression. Errors: kInvalidArgument.
  Result<std::shared_ptr<const Pattern>> PatternOf(const std::string& expression);

  // The last stored evaluation of `expression` over the values of `label` (0: metric names), or null.
  std::shared_ptr<const Evaluation> Find(uint32_t label, const std::string& expression);
  // Replaces it. Lets go of the entries that were not used for longest when there are too many.
  void Store(uint32_t label, const std::string& expression, std::shared_ptr<const Evaluation> evaluation);

  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Pattern> pattern;        // of entries with the key of PatternOf
    std::shared_ptr<const Evaluation> evaluation;  // of the others
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;

  // The entry of `key`, which is now the one used last; null when there is none.
  Entry* Use(const std::string& key) TM_REQUIRES(mutex_);
  void Put(Entry entry) TM_REQUIRES(mutex_);

  const size_t max_bytes_;
  mutable Mutex mutex_;
  Entries entries_ TM_GUARDED_BY(mutex_);  // that used last is first
  std::unordered_map<std::string_view, Entries::iterator> by_key_ TM_GUARDED_BY(mutex_);
  size_t bytes_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::index
