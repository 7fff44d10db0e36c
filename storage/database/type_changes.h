// TypeChanges: what a resolver asks of the store before the name of a field gets another type.
#pragma once

#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::storage::database {

// Thread-safe.
class TypeChanges {
 public:
  virtual ~TypeChanges() = default;
  // Whether no row of `field`, the youngest of its name, and of the older ones of the name is left that a reader could
  // see, so that the name may have any type.
  virtual bool Ended(model::FieldId field) = 0;
  // Before a name gets a second field. On error, as of a disk that fails, it must not get one.
  virtual Result<void> Prepare() = 0;
};

}  // namespace tidemark::storage::database
