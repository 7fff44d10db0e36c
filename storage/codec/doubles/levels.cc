#include "storage/codec/doubles/levels.h"

#include <bit>
#include <memory>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/distinct.h"
#include "storage/codec/doubles/float_codec.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/ints.h"
#include "storage/model/batch.h"

namespace tidemark::codec {
namespace {

// Integers in the order of the doubles with these bits, and back: all bits but the sign are flipped in negative ones.
int64_t Ordered(int64_t bits) { return bits ^ static_cast<int64_t>(static_cast<uint64_t>(bits >> 63) >> 1); }

}  // namespace

bool EncodeLevels(std::span<const double> values, size_t limit, std::string* out) {
  std::vector<int64_t> keys(values.size());
  for (size_t i = 0; i < values.size(); ++i) keys[i] = Ordered(std::bit_cast<int64_t>(values[i]));
  if (!ValuesRepeat(keys)) return false;
  const DistinctValues found = FindDistinct(keys, values.size() / 2);
  if (found.values.empty()) return false;
  std::vector<double> levels;
  levels.reserve(found.values.size());
  for (const int64_t key : found.values) levels.push_back(std::bit_cast<double>(Ordered(key)));
  const size_t start = out->size();
  PutVarint(out, levels.size());
  EncodeLevelValues(levels, out);
  EncodeInts(found.places, out, Effort::kPart);
  if (out->size() - start < limit) return true;
  out->resize(start);
  return false;
}

Result<size_t> DecodeLevels(std::string_view bytes, size_t count, RowRange rows, double* out) {
  ByteReader reader(bytes);
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size == 0 || size > count) {
    return Corruption("levels frame: " + std::to_string(size) + " values of " + std::to_string(count) + " rows");
  }
  size_t used = bytes.size() - reader.remaining();
  const std::string_view inner = bytes.substr(used);
  // Frames inside frames without end would overflow the stack.
  if (!inner.empty() && static_cast<uint8_t>(inner[0]) == static_cast<uint8_t>(FloatHead::kLevels)) {
    return Corruption("levels frame: nested");
  }
  std::vector<int64_t> ints;
  std::vector<double> levels;
  TM_TRY_ASSIGN(const DecodedFloats decoded, DecodeFloats(inner, size, {0, size}, &ints, &levels));
  used += decoded.bytes;
  if (decoded.scale != model::kBinaryScale) {
    levels.resize(size);
    for (size_t i = 0; i < size; ++i) levels[i] = model::FloatOf(ints[i], decoded.scale);
  }
  const size_t wanted = rows.end - rows.begin;
  const auto places = std::make_unique_for_overwrite<int64_t[]>(wanted);
  TM_TRY_ASSIGN(const size_t places_bytes, DecodeInts(bytes.substr(used), count, rows, places.get()));
  TM_RETURN_IF_ERROR(CheckPlaces({places.get(), wanted}, size));
  for (size_t i = 0; i < wanted; ++i) out[i] = levels[static_cast<size_t>(places[i])];
  return used + places_bytes;
}

}  // namespace tidemark::codec
