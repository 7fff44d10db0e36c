// ShapeCache: from the names and types of a shape to what the index resolved them to, so that a batch asks the index
// only for shapes that the database has not seen since a field last changed its type.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "storage/base/hash.h"
#include "storage/base/mutex.h"
#include "storage/model/batch.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::storage::database {

// Thread-safe. `scratch` is memory for the key.
class ShapeCache {
 public:
  // What was put in as of this Index::types_version; null: nothing.
  std::shared_ptr<const model::ResolvedShape> Find(const model::Shape& shape, uint64_t types_version,
                                                   std::string* scratch) const;
  // `types_version`: as it was before the index was asked. Takes the place of what an older version had.
  void Put(const model::Shape& shape, uint64_t types_version, model::ResolvedShape resolved, std::string* scratch);

 private:
  struct KeyHash {
    size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
  };
  struct Entry {
    uint64_t types_version = 0;
    std::shared_ptr<const model::ResolvedShape> resolved;
  };
  // Fields of all shapes that are kept, about 40 MiB. Of thirty fields a writer can make a thousand million shapes;
  // beyond this all are forgotten, and those that come again are found again by the index.
  static constexpr size_t kFieldsMax = 1'000'000;
  mutable SharedMutex mutex_;
  std::unordered_map<Hash128, Entry, KeyHash> shapes_ TM_GUARDED_BY(mutex_);
  size_t fields_ TM_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::storage::database
