// FieldTypes: what the store knows of a field before its name gets another type, for the resolvers of one database.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "storage/database/database.h"
#include "storage/database/field_watch.h"
#include "storage/database/type_changes.h"
#include "storage/engine/store_parts.h"

namespace tidemark::storage {

// Not thread-safe: of one write, under StoreParts::open_mutex.
class FieldTypes final : public database::TypeChanges {
 public:
  // `parts` outlives it.
  FieldTypes(StoreParts* parts, DatabasePtr database) : parts_(*parts), database_(std::move(database)) {}
  ~FieldTypes() override;
  FieldTypes(const FieldTypes&) = delete;
  FieldTypes& operator=(const FieldTypes&) = delete;

  // Reads the rows of the field and of those that had its name before it, if deletions and retention have left any, up
  // to the first. That there is one is kept until epochs, slabs or deletions of the database change. What cannot be
  // read counts as a row.
  bool Ended(model::FieldId field) override;
  // Sees to it that programs which do not know of names with several fields refuse the store. On disk when it returns.
  Result<void> Prepare() override;
  // Waits for the writes that have places in line, looks again at fields that are said to have ended, and calls
  // `resolve` while nobody takes a place, unless a row of them got one since the first look. So no row of an ended
  // field comes to be under its name beside rows of the next one.
  Result<model::ResolvedShape> Change(std::span<const model::FieldId> fields,
                                      const std::function<Result<model::ResolvedShape>()>& resolve) override;

 private:
  void Watch(model::FieldId field);
  // Whether the field has rows, or one that had its name before it.
  bool Lives(model::FieldId field);

  StoreParts& parts_;
  const DatabasePtr database_;
  std::set<model::FieldId> ended_;  // as Ended said last
  std::shared_ptr<database::WatchedFields> watched_;
};

}  // namespace tidemark::storage
