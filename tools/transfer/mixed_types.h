// MixedTypes: fields of which a source has rows of several types. A store that widened a field keeps the integers it
// had and takes floats from then on; whoever writes it again must write the integers first, all of them, of every
// series: behind the first float of a field each integer becomes a float, and one that no float is equal to is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tools/transfer/piece.h"

namespace tidemark::transfer {

// Some ten bytes more than the names for each field. Not thread-safe.
class MixedTypes {
 public:
  // Says that there is such a piece. `scope`: what its names are of, a database.
  void Add(std::string_view scope, const Piece& piece);
  // Whether a field has integers as well as floats.
  [[nodiscard]] bool any() const { return mixed_ > 0; }
  // Whether a piece is to be written before all floats: integers of a field that has both.
  [[nodiscard]] bool GoesFirst(std::string_view scope, const Piece& piece) const;

 private:
  static bool IsInteger(const Piece& piece);
  void SetKey(std::string_view scope, const Piece& piece) const;

  static constexpr uint8_t kIntegers = 1;
  static constexpr uint8_t kFloats = 2;
  std::unordered_map<std::string, uint8_t> fields_;  // which kinds a field has
  size_t mixed_ = 0;
  mutable std::string key_;  // of the piece at hand
};

}  // namespace tidemark::transfer
