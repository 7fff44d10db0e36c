// FieldTypes: what the store knows of a field before its name gets another type, for the resolvers of one database.
#pragma once

#include <utility>

#include "storage/database/database.h"
#include "storage/database/type_changes.h"
#include "storage/engine/store_parts.h"

namespace tidemark::storage {

// Thread-safe. For the time of one write, under StoreParts::open_mutex.
class FieldTypes final : public database::TypeChanges {
 public:
  // `parts` outlives it.
  FieldTypes(StoreParts* parts, DatabasePtr database) : parts_(*parts), database_(std::move(database)) {}

  // Reads the rows of the field and of those that had its name before it, if deletions and retention have left any, up
  // to the first. That there is one is kept until epochs, slabs or deletions of the database change. What cannot be
  // read counts as a row. Rows of the field that other writers have on their way at that moment stay rows of it.
  bool Ended(model::FieldId field) override;
  // Sees to it that programs which do not know of names with several fields refuse the store. On disk when it returns.
  Result<void> Prepare() override;

 private:
  StoreParts& parts_;
  const DatabasePtr database_;
};

}  // namespace tidemark::storage
