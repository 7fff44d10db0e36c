// TypeConflicts: what becomes of a row whose field has another type than the field of that name has had so far.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/field.h"

namespace tidemark::model {

// The numbers are stored on disk: never change or reuse one.
enum class TypeConflicts : uint8_t {
  // An integer or unsigned field that gets a float is a float field from then on: what was written stays as it is, and
  // integers that come are kept as floats. Every other conflict is refused.
  kWiden = 0,
  // The row is refused, as InfluxDB 1.x does it. Integers that are sent to a float field become floats all the same.
  kRefuse = 1,
};

constexpr bool IsInteger(FieldType type) { return type == FieldType::kInt || type == FieldType::kUInt; }
// Whether values of type `sent` are kept in a field of type `stored` as floats, those that a float holds exactly.
constexpr bool IsIntegerToFloat(FieldType sent, FieldType stored) {
  return IsInteger(sent) && stored == FieldType::kFloat;
}
// Whether a field of type `stored` may be widened to take values of type `sent`.
constexpr bool Widens(FieldType stored, FieldType sent) { return IsInteger(stored) && sent == FieldType::kFloat; }

// kConflict in the words of InfluxDB 1.x, which clients know: field type conflict: input field "v" on measurement "m"
// is type string, already exists as type float.
[[nodiscard]] Error TypeConflict(std::string_view measurement, std::string_view field, FieldType sent,
                                 FieldType stored);
// For who may not see the series that gave the field its type: leaves that out of what TypeConflict has made. Other
// errors stay as they are.
void HideStoredType(Error* error);

}  // namespace tidemark::model
