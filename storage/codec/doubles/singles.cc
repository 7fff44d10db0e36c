#include "storage/codec/doubles/singles.h"

#include <bit>
#include <memory>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/doubles/patches.h"
#include "storage/codec/doubles/sample.h"
#include "storage/codec/ints.h"

namespace tidemark::codec {
namespace {

constexpr uint8_t kPatches = 1;

// Both ways.
int32_t Ordered(int32_t bits) { return bits ^ ((bits >> 31) & 0x7FFFFFFF); }

}  // namespace

bool EncodeSingles(std::span<const double> values, size_t limit, std::string* out) {
  if (!SampleOf(values).MostlySingles()) return false;
  const size_t most_patches = MostPatches(values.size());
  std::vector<int64_t> words(values.size());
  Patches patches;
  int64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (IsSingle(values[i])) {
      before = Ordered(std::bit_cast<int32_t>(static_cast<float>(values[i])));
    } else {
      if (patches.rows.size() == most_patches) return false;
      patches.Add(i, values[i]);
    }
    words[i] = before;
  }
  const size_t start = out->size();
  out->push_back(static_cast<char>(patches.rows.empty() ? 0 : kPatches));
  if (!patches.rows.empty()) AppendPatches(patches, out, Effort::kNewest);
  EncodeInts(words, out, Effort::kNewest);
  if (out->size() - start < limit) return true;
  out->resize(start);
  return false;
}

Result<size_t> DecodeSingles(std::string_view bytes, size_t count, RowRange rows, double* out) {
  ByteReader reader(bytes);
  const auto flags = reader.Little<uint8_t>();
  if (!reader.ok() || flags > kPatches) return Corruption("singles frame: unknown flags");
  size_t used = 1;
  Patches patches;
  if (flags == kPatches) {
    TM_TRY_ASSIGN(patches, DecodePatches(bytes.substr(used), count));
    used += patches.bytes;
  }
  const size_t size = rows.end - rows.begin;
  const auto words = std::make_unique_for_overwrite<int64_t[]>(size);
  TM_TRY_ASSIGN(const size_t words_bytes, DecodeInts(bytes.substr(used), count, rows, words.get()));
  for (size_t i = 0; i < size; ++i) out[i] = std::bit_cast<float>(Ordered(static_cast<int32_t>(words[i])));
  patches.Apply(rows, out);
  return used + words_bytes;
}

}  // namespace tidemark::codec
