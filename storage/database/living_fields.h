// LivingFields: fields that were found to have rows, so that a writer who sends another type again and again does not
// have them looked for each time.
#pragma once

#include <memory>
#include <unordered_map>

#include "storage/base/mutex.h"
#include "storage/database/database_state.h"
#include "storage/model/ids.h"

namespace tidemark::storage::database {

// Thread-safe.
class LivingFields {
 public:
  // Whether `field` had rows in this very state of epochs, slabs and deletions: rows do not go while it lasts, but for
  // those that retention hides with time.
  [[nodiscard]] bool Has(model::FieldId field, const std::shared_ptr<const DatabaseState>& state) const;
  void Note(model::FieldId field, const std::shared_ptr<const DatabaseState>& state);

 private:
  mutable Mutex mutex_;
  std::unordered_map<model::FieldId, std::weak_ptr<const DatabaseState>> seen_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::storage::database
