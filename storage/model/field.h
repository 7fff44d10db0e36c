// Field types and values: what a point can hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace tidemark::model {

// The numbers are stored on disk: never change or reuse one.
enum class FieldType : uint8_t { kFloat = 1, kInt = 2, kUInt = 3, kBool = 4, kString = 5 };

// "float", "integer", "unsigned", "boolean", "string": the words that InfluxDB 1.x uses in its errors.
std::string_view Name(FieldType type);

// One typed value that owns its bytes. For configuration, tests and results of single points; columns are used
// wherever there are many.
using FieldValue = std::variant<double, int64_t, uint64_t, bool, std::string>;

FieldType TypeOf(const FieldValue& value);

}  // namespace tidemark::model
