#include "storage/database/living_fields.h"

namespace tidemark::storage::database {

bool LivingFields::Has(model::FieldId field, const std::shared_ptr<const DatabaseState>& state) const {
  MutexLock lock(mutex_);
  const auto found = seen_.find(field);
  return found != seen_.end() && found->second.lock() == state;
}

void LivingFields::Note(model::FieldId field, const std::shared_ptr<const DatabaseState>& state) {
  MutexLock lock(mutex_);
  seen_.insert_or_assign(field, state);
}

}  // namespace tidemark::storage::database
