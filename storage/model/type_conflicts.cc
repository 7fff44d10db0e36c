#include "storage/model/type_conflicts.h"

#include <fmt/core.h>

namespace tidemark::model {
namespace {

constexpr std::string_view kBegins = "field type conflict: ";
constexpr std::string_view kStored = ", already exists as ";

}  // namespace

Error TypeConflict(std::string_view measurement, std::string_view field, FieldType sent, FieldType stored) {
  return MakeError(ErrorCode::kConflict, fmt::format("{}input field \"{}\" on measurement \"{}\" is type {}{}type {}",
                                                     kBegins, field, measurement, Name(sent), kStored, Name(stored)));
}

void HideStoredType(Error* error) {
  if (error->code != ErrorCode::kConflict || !error->message.starts_with(kBegins)) return;
  // The last one: names of fields are whatever their writers like.
  const size_t at = error->message.rfind(kStored);
  if (at == std::string::npos) return;
  error->message.replace(at, std::string::npos, fmt::format("{}another type", kStored));
}

}  // namespace tidemark::model
