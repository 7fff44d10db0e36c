// ShapeCache: from the names and types of a shape to what the index resolved them to, so that a batch asks the index
// only for shapes that the database has never seen.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "storage/base/hash.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/index/index.h"
#include "storage/model/batch.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::storage::database {

// Thread-safe.
class ShapeCache {
 public:
  // Errors as Index::ResolveShape; they are not kept. Entries live as long as the cache, since what a field is
  // resolved to never changes. `scratch` is memory for the key.
  Result<const model::ResolvedShape*> Resolve(const model::Shape& shape, index::Index* index, std::string* scratch);

 private:
  struct KeyHash {
    size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
  };
  SharedMutex mutex_;
  std::unordered_map<Hash128, std::unique_ptr<const model::ResolvedShape>, KeyHash> shapes_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::database
