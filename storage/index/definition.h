// Definition: one name with its id, taken out of the bytes of a journal record (definitions.h) or of a saved chunk
// (saved_entries.h), and not yet held against any other.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tidemark::index {

// What has names. On disk: never change or reuse one. The order is that of reference: later kinds refer to earlier
// ones.
enum class NameKind : uint8_t {
  kMeasurement = 1,
  kLabel = 2,
  kPair = 3,
  kField = 4,
  kSeries = 5,
  kNextField = 6,  // of a name that has a field of another type; since store version 2
};

struct Definition {
  NameKind kind{};
  uint64_t id = 0;
  uint64_t scope = 0;                 // of a pair its label, of a field and of a series its measurement
  uint8_t type = 0;                   // of a field
  uint64_t predecessor = 0;           // of a next field, the one that had its name before; else 0
  std::string_view text = {};         // of all but series
  std::span<const uint32_t> pairs{};  // of a series; 0 stands for a number that is no id
};

}  // namespace tidemark::index
