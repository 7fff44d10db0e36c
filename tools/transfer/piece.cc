#include "tools/transfer/piece.h"

#include <bit>

namespace tidemark::transfer {

void AppendRows(const model::Column& column, size_t begin, size_t end, Piece* piece) {
  for (size_t row = begin; row < end; ++row) {
    piece->times_ns.push_back(column.times[row]);
    switch (column.type) {
      case model::FieldType::kString: piece->strings.emplace_back(column.strings[row]); break;
      case model::FieldType::kFloat:
        piece->bits.push_back(std::bit_cast<uint64_t>(model::DoubleAt(column, row)));
        break;
      case model::FieldType::kInt:
      case model::FieldType::kUInt:
      case model::FieldType::kBool: piece->bits.push_back(static_cast<uint64_t>(column.ints[row])); break;
    }
  }
}

std::string Describe(const Piece& piece) {
  const std::string labels = piece.tags.empty() ? std::string() : model::ToString(piece.tags);
  return piece.measurement + "." + piece.field + labels;
}

}  // namespace tidemark::transfer
