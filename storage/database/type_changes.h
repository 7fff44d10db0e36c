// TypeChanges: what a resolver asks of the store before the name of a field gets another type.
#pragma once

#include <functional>
#include <span>

#include "storage/base/result.h"
#include "storage/model/ids.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::storage::database {

// Of one write.
class TypeChanges {
 public:
  virtual ~TypeChanges() = default;
  // Whether no row of `field`, the youngest of its name, and of the older ones of the name is left that a reader could
  // see, so that the name may have any type.
  virtual bool Ended(model::FieldId field) = 0;
  // Before a name gets a second field. On error, as of a disk that fails, it must not get one.
  virtual Result<void> Prepare() = 0;
  // Behind Prepare: calls `resolve`, which gives the names of `fields` their next ones, and returns what it does.
  // Errors: those of `resolve`; kConflict, and nothing is changed, when a field of which Ended has said yes has got
  // rows.
  virtual Result<model::ResolvedShape> Change(std::span<const model::FieldId> fields,
                                              const std::function<Result<model::ResolvedShape>()>& resolve) = 0;
};

}  // namespace tidemark::storage::database
