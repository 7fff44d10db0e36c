// HeadChunk: a run of rows of one series and one shape, as they arrived, in arena memory.
//
// A row is its time, its values and the ticket of its batch, side by side, so that appending to a head touches one or
// two cache lines however many fields a row has. Float columns hold mantissas at the one scale that the chunk keeps
// for the column, or bit patterns when that scale is kBinaryScale; a value that does not fit starts a new chunk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::head {

// A shape as this head set knows it. Lives as long as the set.
struct HeadShape {
  model::MeasurementId measurement{};
  std::vector<model::ResolvedField> fields;
  // Columns in ascending order of field id.
  std::vector<uint32_t> by_field;
  bool has_floats = false;

  // Index of the column of `field`, or -1.
  [[nodiscard]] int Find(model::FieldId field) const {
    constexpr size_t kFew = 16;
    if (fields.size() <= kFew) {
      for (size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].id == field) return static_cast<int>(i);
      }
      return -1;
    }
    const auto at = std::lower_bound(by_field.begin(), by_field.end(), field,
                                     [this](uint32_t column, model::FieldId id) { return fields[column].id < id; });
    return at != by_field.end() && fields[*at].id == field ? static_cast<int>(*at) : -1;
  }
};

struct HeadChunk {
  HeadChunk* next = nullptr;
  const HeadShape* shape = nullptr;
  uint32_t rows = 0;
  uint32_t capacity = 0;

  // Layout behind the header: a scale per field (padded to 8), then the rows.
  [[nodiscard]] static size_t ScaleBytes(size_t fields) { return (fields + 7) & ~size_t{7}; }
  [[nodiscard]] static size_t RowBytes(size_t fields) { return 8 + 8 * fields + 4; }
  [[nodiscard]] static size_t Bytes(size_t fields, size_t capacity) {
    return sizeof(HeadChunk) + ScaleBytes(fields) + RowBytes(fields) * capacity;
  }

  [[nodiscard]] uint8_t* scales() { return reinterpret_cast<uint8_t*>(this + 1); }
  [[nodiscard]] const uint8_t* scales() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  [[nodiscard]] char* row(size_t index) {
    const size_t fields = shape->fields.size();
    return reinterpret_cast<char*>(this + 1) + ScaleBytes(fields) + RowBytes(fields) * index;
  }
  [[nodiscard]] const char* row(size_t index) const {
    const size_t fields = shape->fields.size();
    return reinterpret_cast<const char*>(this + 1) + ScaleBytes(fields) + RowBytes(fields) * index;
  }
};

// Rows are 4 bytes more than a multiple of 8 long, so their words are read and written without assuming alignment.
inline int64_t LoadWord(const char* at) {
  int64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline void StoreWord(char* at, int64_t value) { std::memcpy(at, &value, sizeof value); }
inline uint32_t LoadTicket(const char* row, size_t fields) {
  uint32_t ticket;
  std::memcpy(&ticket, row + 8 + 8 * fields, sizeof ticket);
  return ticket;
}
inline void StoreTicket(char* row, size_t fields, uint32_t ticket) {
  std::memcpy(row + 8 + 8 * fields, &ticket, sizeof ticket);
}

}  // namespace tidemark::head
