#include "storage/database/shape_cache.h"

#include <utility>

#include "storage/base/bytes.h"

namespace tidemark::storage::database {
namespace {

Hash128 KeyOf(const model::Shape& shape, std::string* scratch) {
  scratch->clear();
  PutString(scratch, shape.measurement);
  for (const model::ShapeField& field : shape.fields) {
    PutString(scratch, field.name);
    scratch->push_back(static_cast<char>(field.type));
  }
  return HashBytes(*scratch, model::SeriesHashSeed());
}

}  // namespace

std::shared_ptr<const model::ResolvedShape> ShapeCache::Find(const model::Shape& shape, uint64_t types_version,
                                                             std::string* scratch) const {
  const Hash128 key = KeyOf(shape, scratch);
  ReaderLock lock(mutex_);
  const auto found = shapes_.find(key);
  if (found == shapes_.end() || found->second.types_version != types_version) return nullptr;
  return found->second.resolved;
}

void ShapeCache::Put(const model::Shape& shape, uint64_t types_version, model::ResolvedShape resolved,
                     std::string* scratch) {
  const Hash128 key = KeyOf(shape, scratch);
  auto kept = std::make_shared<const model::ResolvedShape>(std::move(resolved));
  WriterLock lock(mutex_);
  if (fields_ >= kFieldsMax) {
    shapes_.clear();
    fields_ = 0;
  }
  fields_ += shape.fields.size() + 1;
  Entry& entry = shapes_[key];
  if (entry.types_version <= types_version) entry = {types_version, std::move(kept)};
}

}  // namespace tidemark::storage::database
