#include "storage/model/field.h"

namespace tidemark::model {

std::string_view Name(FieldType type) {
  switch (type) {
    case FieldType::kFloat: return "float";
    case FieldType::kInt: return "integer";
    case FieldType::kUInt: return "unsigned";
    case FieldType::kBool: return "boolean";
    case FieldType::kString: return "string";
  }
  return "unknown";
}

FieldType TypeOf(const FieldValue& value) {
  constexpr FieldType kTypes[] = {FieldType::kFloat, FieldType::kInt, FieldType::kUInt, FieldType::kBool,
                                  FieldType::kString};
  return kTypes[value.index()];
}

}  // namespace tidemark::model
