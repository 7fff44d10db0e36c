#include "storage/database/shape_cache.h"

#include <utility>

#include "storage/base/bytes.h"

namespace tidemark::storage::database {

Result<const model::ResolvedShape*> ShapeCache::Resolve(const model::Shape& shape, index::Index* index,
                                                        std::string* scratch) {
  scratch->clear();
  PutString(scratch, shape.measurement);
  for (const model::ShapeField& field : shape.fields) {
    PutString(scratch, field.name);
    scratch->push_back(static_cast<char>(field.type));
  }
  const Hash128 key = HashBytes(*scratch, model::SeriesHashSeed());
  {
    ReaderLock lock(mutex_);
    if (const auto found = shapes_.find(key); found != shapes_.end()) return found->second.get();
  }
  TM_TRY_ASSIGN(model::ResolvedShape resolved, index->ResolveShape(shape));
  WriterLock lock(mutex_);
  auto& slot = shapes_[key];
  if (slot == nullptr) slot = std::make_unique<const model::ResolvedShape>(std::move(resolved));
  return slot.get();
}

}  // namespace tidemark::storage::database
