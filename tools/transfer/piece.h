// Piece: values of one field of one series, as exports and imports hand them on: exact, whatever the type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/column.h"
#include "storage/model/field.h"
#include "storage/model/labels.h"

namespace tidemark::transfer {

// Rows of a piece that Tidemark makes, at most.
inline constexpr size_t kPieceRows = 1000;

struct Piece {
  std::string measurement;
  std::string field;
  model::Labels tags;  // sorted by name, each once, none with an empty value; without __name__
  model::FieldType type = model::FieldType::kFloat;
  std::vector<int64_t> times_ns;     // in any order; of two values at one time the later one counts
  std::vector<uint64_t> bits;        // of all types but string: the double's bits, the integer's, 0 or 1
  std::vector<std::string> strings;  // of type string, in place of bits

  [[nodiscard]] size_t size() const { return times_ns.size(); }
  [[nodiscard]] bool is_text() const { return type == model::FieldType::kString; }
  void ClearValues() {
    times_ns.clear();
    bits.clear();
    strings.clear();
  }
};

// Appends rows [begin, end) of a column of the piece's type.
void AppendRows(const model::Column& column, size_t begin, size_t end, Piece* piece);

// `measurement.field{host="a"}`: for messages.
std::string Describe(const Piece& piece);

}  // namespace tidemark::transfer
