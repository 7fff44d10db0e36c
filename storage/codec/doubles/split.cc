#include "storage/codec/doubles/split.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "storage/codec/ints.h"
#include "storage/codec/kernels.h"
#include "storage/codec/low_bits.h"
#include "storage/codec/sampling.h"

namespace tidemark::codec {
namespace {

constexpr unsigned kMostLowBits = kMaxOddWidth;
// The paper's: at most 16 bits are high.
constexpr unsigned kLeastLowBits = 48;
constexpr size_t kSample = 256;

// The cut with the fewest bits a value in a sample: the entropy of the high bits and all of the low ones.
struct Cut {
  unsigned low_bits = 0;
  double bits = HUGE_VAL;
};
Cut ChooseCut(std::span<const double> values) {
  std::array<uint64_t, kSample> sample;
  const size_t size = std::min(values.size(), kSample);
  for (size_t i = 0; i < size; ++i) {
    sample[i] = std::bit_cast<uint64_t>(values[size < kSample ? i : SampledRow(i, values.size())]);
  }
  std::sort(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));
  Cut best;
  for (unsigned low_bits = kLeastLowBits; low_bits <= kMostLowBits; ++low_bits) {
    double bits = low_bits;
    for (size_t begin = 0, end = 0; begin < size; begin = end) {
      while (end < size && sample[end] >> low_bits == sample[begin] >> low_bits) ++end;
      const auto count = static_cast<double>(end - begin);
      bits += count * std::log2(static_cast<double>(size) / count) / static_cast<double>(size);
    }
    if (bits < best.bits) best = {low_bits, bits};
  }
  return best;
}

}  // namespace

bool EncodeSplit(std::span<const double> values, size_t limit, std::string* out) {
  const Cut cut = ChooseCut(values);
  if (cut.bits * static_cast<double>(values.size()) / 8 >= static_cast<double>(limit)) return false;
  std::vector<int64_t> highs(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    highs[i] = static_cast<int64_t>(std::bit_cast<uint64_t>(values[i]) >> cut.low_bits);
  }
  const size_t start = out->size();
  out->push_back(static_cast<char>(cut.low_bits));
  EncodeInts(highs, out, Effort::kPart);
  std::vector<uint64_t> words(values.size());
  std::memcpy(words.data(), values.data(), values.size_bytes());
  AppendLowBits(words, cut.low_bits, out);
  if (out->size() - start < limit) return true;
  out->resize(start);
  return false;
}

Result<size_t> DecodeSplit(std::string_view bytes, size_t count, RowRange rows, double* out) {
  if (bytes.empty()) return Corruption("split frame: cut short");
  const unsigned low_bits = static_cast<uint8_t>(bytes[0]);
  if (low_bits == 0 || low_bits > kMostLowBits) {
    return Corruption("split frame: " + std::to_string(low_bits) + " low bits");
  }
  const size_t size = rows.end - rows.begin;
  const auto highs = std::make_unique_for_overwrite<int64_t[]>(size);
  TM_TRY_ASSIGN(const size_t high_bytes, DecodeInts(bytes.substr(1), count, rows, highs.get()));
  TM_TRY_ASSIGN(const LowBits lows, LowBits::Open(bytes.substr(1 + high_bytes), count, low_bits));
  uint64_t words[kBlock];
  for (size_t block = rows.begin / kBlock; block * kBlock < rows.end; ++block) {
    const size_t start = block * kBlock;
    lows.Unpack(block, std::min(kBlock, count - start), words);
    const size_t from = std::max(start, rows.begin);
    const size_t to = std::min(start + kBlock, rows.end);
    // No rows are asked for within a block, and there is nothing that they would be put in.
    if (from == to) break;
    uint64_t joined[kBlock];
    BestKernels().join(highs.get() + (from - rows.begin), words + (from - start), to - from, low_bits, joined);
    std::memcpy(out + (from - rows.begin), joined, (to - from) * sizeof(double));
  }
  return 1 + high_bytes + lows.bytes();
}

}  // namespace tidemark::codec
