#include "storage/codec/floats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "storage/base/bytes.h"
#include "storage/codec/ints.h"
#include "storage/model/batch.h"

namespace tidemark::codec {
namespace {

using model::kBinaryScale;
using model::kMaxScale;

constexpr uint8_t kPatched = 128;
// Scales that the search tries for doubles that came without text.
constexpr uint8_t kMaxSearchedScale = 15;
constexpr size_t kSample = 32;
constexpr size_t kStride = 0x9E3779B1;  // prime
// How many scales above the one found are tried, when the sample has missed the longest decimals.
constexpr uint8_t kRetries = 3;
constexpr int64_t kMaxMantissa = (int64_t{1} << 53) - 1;

void Reserve(std::vector<int64_t>* values, size_t size) {
  if (values->size() < size) values->resize(size);
}

// How many of a sample of the values are decimals of `scale`.
size_t CountExact(std::span<const double> sample, uint8_t scale) {
  int64_t mantissa;
  return static_cast<size_t>(
      std::count_if(sample.begin(), sample.end(), [&](double value) { return MantissaOf(value, scale, &mantissa); }));
}

// The smallest scale at which most of a sample are decimals; kBinaryScale when there is none.
uint8_t SearchScale(std::span<const double> values) {
  double sample[kSample];
  size_t size = 0;
  for (size_t i = 0; i < kSample; ++i) {
    // Not every n-th row: values repeat in cycles.
    const double value = values[i * kStride % values.size()];
    if (std::isfinite(value)) sample[size++] = value;
  }
  if (size == 0) return kBinaryScale;
  uint8_t best = kBinaryScale;
  size_t best_count = size * 3 / 4;
  for (uint8_t scale = 0; scale <= kMaxSearchedScale; ++scale) {
    const size_t count = CountExact({sample, size}, scale);
    if (count > best_count) {
      best = scale;
      best_count = count;
    }
    if (count == size) break;
  }
  return best;
}

struct Decimals {
  std::vector<int64_t> mantissas;
  std::vector<int64_t> patch_rows;
  std::vector<int64_t> patch_bits;
  size_t longer = 0;  // patches that may be decimals of a larger scale
};

// Splits values into mantissas and patches; false when there would be too many patches to be worth it.
bool Split(std::span<const double> values, uint8_t scale, Decimals* out) {
  const size_t max_patches = values.size() / 8 + 1;
  out->mantissas.resize(values.size());
  out->patch_rows.clear();
  out->patch_bits.clear();
  out->longer = 0;
  int64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t mantissa;
    if (MantissaOf(values[i], scale, &mantissa)) {
      before = mantissa;
    } else {
      if (out->patch_rows.size() == max_patches) return false;
      out->patch_rows.push_back(static_cast<int64_t>(i));
      out->patch_bits.push_back(std::bit_cast<int64_t>(values[i]));
      if (std::isfinite(values[i]) && values[i] != 0) ++out->longer;
    }
    out->mantissas[i] = before;
  }
  return out->patch_rows.size() < values.size();
}

// The scale with the fewest patches, and the values split at it; kBinaryScale when there is none.
uint8_t FindScale(std::span<const double> values, Decimals* out) {
  const uint8_t first = SearchScale(values);
  if (first == kBinaryScale) return kBinaryScale;
  uint8_t best = kBinaryScale;
  Decimals decimals;
  for (uint8_t scale = first; scale <= std::min<uint8_t>(first + kRetries, kMaxScale); ++scale) {
    if (!Split(values, scale, &decimals)) continue;
    const size_t longer = decimals.longer;
    if (best == kBinaryScale || decimals.patch_rows.size() < out->patch_rows.size()) {
      best = scale;
      std::swap(*out, decimals);
    }
    if (longer == 0) break;
  }
  return best;
}

void AppendBits(std::span<const double> values, std::string* out, Effort effort) {
  std::vector<int64_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size_bytes());
  out->push_back(static_cast<char>(kBinaryScale));
  EncodeInts(bits, out, effort);
}

// Divides mantissas by ten while all of them end in a zero.
uint8_t Reduce(std::vector<int64_t>* mantissas, uint8_t scale) {
  while (scale > 0 && std::all_of(mantissas->begin(), mantissas->end(), [](int64_t m) { return m % 10 == 0; })) {
    for (int64_t& mantissa : *mantissas) mantissa /= 10;
    --scale;
  }
  return scale;
}

struct Patches {
  std::vector<int64_t> rows;
  std::vector<int64_t> bits;
  size_t bytes = 0;
};

Result<Patches> DecodePatches(std::string_view bytes, size_t count) {
  ByteReader reader(bytes);
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size == 0 || size > count) return Corruption("float frame: number of patches");
  Patches patches{.rows = std::vector<int64_t>(size), .bits = std::vector<int64_t>(size)};
  patches.bytes = bytes.size() - reader.remaining();
  TM_TRY_ASSIGN(const size_t rows_bytes, DecodeInts(bytes.substr(patches.bytes), size, patches.rows.data()));
  patches.bytes += rows_bytes;
  TM_TRY_ASSIGN(const size_t bits_bytes, DecodeInts(bytes.substr(patches.bytes), size, patches.bits.data()));
  patches.bytes += bits_bytes;
  return patches;
}

}  // namespace

bool MantissaOf(double value, uint8_t scale, int64_t* mantissa) {
  const double power = model::PowerOfTen(scale);
  const double scaled = value * power;
  // Also false for NaN. Beyond 2^53 neighbouring mantissas are the same double.
  if (!(std::fabs(scaled) <= static_cast<double>(kMaxMantissa))) return false;
  // To the nearest integer; one instruction. Where the product was off by one, the check fails.
  const auto rounded = static_cast<int64_t>(std::rint(scaled));
  *mantissa = rounded;
  return rounded <= kMaxMantissa && rounded >= -kMaxMantissa &&
         std::bit_cast<uint64_t>(static_cast<double>(rounded) / power) == std::bit_cast<uint64_t>(value);
}

uint8_t EncodeFloats(std::span<const double> values, uint8_t hint, std::string* out, Effort effort) {
  if (values.empty()) return hint;
  Decimals decimals;
  uint8_t scale = kBinaryScale;
  if (hint <= kMaxScale && Split(values, hint, &decimals) && decimals.patch_rows.empty()) {
    scale = Reduce(&decimals.mantissas, hint);
  } else {
    scale = FindScale(values, &decimals);
  }
  if (scale == kBinaryScale) {
    AppendBits(values, out, effort);
    return kBinaryScale;
  }
  if (decimals.patch_rows.empty()) {
    out->push_back(static_cast<char>(scale));
  } else {
    out->push_back(static_cast<char>(kPatched + scale));
    PutVarint(out, decimals.patch_rows.size());
    EncodeInts(decimals.patch_rows, out, effort);
    EncodeInts(decimals.patch_bits, out, effort);
  }
  EncodeInts(decimals.mantissas, out, effort);
  return scale;
}

uint8_t EncodeDecimals(std::span<const int64_t> mantissas, uint8_t scale, std::string* out, Effort effort) {
  if (mantissas.empty()) return scale;
  if (scale > 0 && mantissas[0] % 10 == 0) {
    std::vector<int64_t> reduced(mantissas.begin(), mantissas.end());
    const uint8_t reduced_scale = Reduce(&reduced, scale);
    out->push_back(static_cast<char>(reduced_scale));
    EncodeInts(reduced, out, effort);
    return reduced_scale;
  }
  out->push_back(static_cast<char>(scale));
  EncodeInts(mantissas, out, effort);
  return scale;
}

uint8_t FloatScaleOf(std::string_view bytes) {
  if (bytes.empty()) return kBinaryScale;
  const auto head = static_cast<uint8_t>(bytes[0]);
  if (head == kBinaryScale) return head;
  return head >= kPatched ? static_cast<uint8_t>(head - kPatched) : head;
}

Result<DecodedFloats> DecodeFloats(std::string_view bytes, size_t count, RowRange rows, std::vector<int64_t>* ints,
                                   std::vector<double>* floats) {
  if (count == 0) return DecodedFloats{};
  if (bytes.empty()) return Corruption("float frame: no bytes");
  const size_t size = rows.end - rows.begin;
  const auto head = static_cast<uint8_t>(bytes[0]);
  const uint8_t scale = FloatScaleOf(bytes);
  if (scale != kBinaryScale && scale > kMaxScale)
    return Corruption("float frame: unknown head " + std::to_string(head));
  size_t used = 1;
  Patches patches;
  if (head >= kPatched && head != kBinaryScale) {
    TM_TRY_ASSIGN(patches, DecodePatches(bytes.substr(used), count));
    used += patches.bytes;
  }
  Reserve(ints, size);
  TM_TRY_ASSIGN(const size_t words_bytes, DecodeInts(bytes.substr(used), count, rows, ints->data()));
  used += words_bytes;
  const auto hit = [&](int64_t row) {
    return row >= 0 && std::cmp_greater_equal(row, rows.begin) && std::cmp_less(row, rows.end);
  };
  if (scale != kBinaryScale && std::none_of(patches.rows.begin(), patches.rows.end(), hit)) {
    return DecodedFloats{scale, used};
  }
  if (floats->size() < size) floats->resize(size);
  if (scale == kBinaryScale) {
    if (size != 0) std::memcpy(floats->data(), ints->data(), size * sizeof(double));
    return DecodedFloats{kBinaryScale, used};
  }
  const double power = model::PowerOfTen(scale);
  for (size_t i = 0; i < size; ++i) (*floats)[i] = static_cast<double>((*ints)[i]) / power;
  for (size_t i = 0; i < patches.rows.size(); ++i) {
    if (hit(patches.rows[i])) {
      (*floats)[static_cast<size_t>(patches.rows[i]) - rows.begin] = std::bit_cast<double>(patches.bits[i]);
    }
  }
  return DecodedFloats{kBinaryScale, used};
}

}  // namespace tidemark::codec
