// LineShapeCache: the field lists that a parser has seen, in the form in which the next row is compared with them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ingest/lineprotocol/line.h"
#include "storage/model/batch.h"

namespace tidemark::lineprotocol {

// A field as it appears in a line: the separator before it (' ' or ','), its name and '='. The first 32 bytes are
// compared at once, the rest (rarely any) byte by byte.
struct CachedField {
  alignas(16) char head[32];
  uint32_t head_mask;  // bit i is set when byte i of head counts
  uint32_t size;       // of the whole literal
  uint32_t literal;    // where it starts in CachedShape::literals
  model::FieldType type;
};

struct CachedShape {
  std::string raw_measurement;
  std::string literals;
  std::vector<CachedField> fields;
  size_t longest_name = 0;
  // The shape that a row had when this one was expected and wrong, and the one that came after it: what to expect next.
  uint32_t instead;
  uint32_t after;
  // Where this shape is in the batch being filled, if it is.
  uint32_t batch_shape = 0;
  uint64_t batch_number = 0;

  [[nodiscard]] std::string_view name(size_t field) const {
    return std::string_view(literals).substr(fields[field].literal + 1, fields[field].size - 2);
  }
};

class LineShapeCache {
 public:
  static constexpr size_t kMaxShapes = 4096;
  static constexpr size_t kMaxBytes = size_t{4} << 20;         // of all shapes together
  static constexpr size_t kMaxShapeBytes = size_t{256} << 10;  // of one; larger ones are not remembered

  // What remembering the shape of `line` takes.
  static size_t BytesOf(const Line& line);

  // Forgets everything when there is no room for the shape of `line`, which takes at most kMaxShapeBytes. True when
  // that happened; indices given out before are then void.
  bool MakeRoom(const Line& line);

  // The index of the shape of `line`, which is added if it is new. Call MakeRoom first.
  uint32_t FindOrAdd(const Line& line);

  [[nodiscard]] CachedShape& operator[](uint32_t index) { return shapes_[index]; }
  [[nodiscard]] size_t size() const { return shapes_.size(); }

 private:
  std::vector<CachedShape> shapes_;
  std::unordered_multimap<uint64_t, uint32_t> by_hash_;
  size_t bytes_ = 0;
};

}  // namespace tidemark::lineprotocol
