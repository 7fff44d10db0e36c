#include "storage/model/type_conflicts.h"

#include <fmt/core.h>

namespace tidemark::model {

Error TypeConflict(std::string_view measurement, std::string_view field, FieldType sent, FieldType stored) {
  return MakeError(
      ErrorCode::kConflict,
      fmt::format("field type conflict: input field \"{}\" on measurement \"{}\" is type {}, already exists as type {}",
                  field, measurement, Name(sent), Name(stored)));
}

}  // namespace tidemark::model
