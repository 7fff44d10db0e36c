#include "tools/transfer/mixed_types.h"

#include "storage/base/bytes.h"

namespace tidemark::transfer {

bool MixedTypes::IsInteger(const Piece& piece) {
  return piece.type == model::FieldType::kInt || piece.type == model::FieldType::kUInt;
}

void MixedTypes::SetKey(std::string_view scope, const Piece& piece) const {
  key_.clear();
  PutString(&key_, scope);
  PutString(&key_, piece.measurement);
  key_ += piece.field;
}

void MixedTypes::Add(std::string_view scope, const Piece& piece) {
  const bool integer = IsInteger(piece);
  if (!integer && piece.type != model::FieldType::kFloat) return;
  SetKey(scope, piece);
  uint8_t& kinds = fields_[key_];
  const uint8_t before = kinds;
  kinds |= integer ? kIntegers : kFloats;
  if (kinds != before && before != 0) ++mixed_;
}

bool MixedTypes::GoesFirst(std::string_view scope, const Piece& piece) const {
  if (mixed_ == 0 || !IsInteger(piece)) return false;
  SetKey(scope, piece);
  const auto at = fields_.find(key_);
  return at != fields_.end() && at->second == (kIntegers | kFloats);
}

}  // namespace tidemark::transfer
