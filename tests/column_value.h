// A column's value as a row of a batch has it.
#pragma once

#include <string>

#include "storage/model/column.h"
#include "storage/model/field.h"

namespace tidemark::model {

inline FieldValue ValueOf(const Column& column, size_t row) {
  switch (column.type) {
    case FieldType::kInt: return column.ints[row];
    case FieldType::kUInt: return static_cast<uint64_t>(column.ints[row]);
    case FieldType::kBool: return column.ints[row] != 0;
    case FieldType::kString: return std::string(column.strings[row]);
    case FieldType::kFloat: break;
  }
  return DoubleAt(column, row);
}

}  // namespace tidemark::model
