#include "storage/codec/doubles/patches.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "storage/base/bytes.h"
#include "storage/codec/ints.h"

namespace tidemark::codec {
namespace {

// Rows come from the disk and may be anything.
bool Lies(int64_t row, RowRange range) {
  return row >= 0 && std::cmp_greater_equal(row, range.begin) && std::cmp_less(row, range.end);
}

}  // namespace

void Patches::Add(size_t row, double value) {
  rows.push_back(static_cast<int64_t>(row));
  bits.push_back(std::bit_cast<int64_t>(value));
}

bool Patches::Touch(RowRange range) const {
  return std::any_of(rows.begin(), rows.end(), [&](int64_t row) { return Lies(row, range); });
}

void Patches::Apply(RowRange range, double* out) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (Lies(rows[i], range)) out[static_cast<size_t>(rows[i]) - range.begin] = std::bit_cast<double>(bits[i]);
  }
}

void AppendPatches(const Patches& patches, std::string* out, Effort effort) {
  PutVarint(out, patches.rows.size());
  // Codecs that not all programs know are for the values of a frame, of which there are many.
  const Effort known = std::min(effort, Effort::kSmallest);
  EncodeInts(patches.rows, out, known);
  EncodeInts(patches.bits, out, known);
}

Result<Patches> DecodePatches(std::string_view bytes, size_t count) {
  ByteReader reader(bytes);
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size == 0 || size > count) return Corruption("float frame: number of patches");
  Patches patches;
  patches.rows.resize(size);
  patches.bits.resize(size);
  patches.bytes = bytes.size() - reader.remaining();
  TM_TRY_ASSIGN(const size_t rows_bytes, DecodeInts(bytes.substr(patches.bytes), size, patches.rows.data()));
  patches.bytes += rows_bytes;
  TM_TRY_ASSIGN(const size_t bits_bytes, DecodeInts(bytes.substr(patches.bytes), size, patches.bits.data()));
  patches.bytes += bits_bytes;
  return patches;
}

}  // namespace tidemark::codec
