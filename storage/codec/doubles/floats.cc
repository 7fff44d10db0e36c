#include "storage/codec/doubles/floats.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "storage/codec/doubles/float_codec.h"
#include "storage/codec/doubles/levels.h"
#include "storage/codec/doubles/patches.h"
#include "storage/codec/doubles/quotients.h"
#include "storage/codec/doubles/sample.h"
#include "storage/codec/doubles/singles.h"
#include "storage/codec/doubles/split.h"
#include "storage/codec/ints.h"
#include "storage/codec/sampling.h"
#include "storage/model/batch.h"

namespace tidemark::codec {
namespace {

using model::kBinaryScale;
using model::kMaxScale;

constexpr uint8_t kPatched = 128;
// Scales that the search tries for doubles that came without text.
constexpr uint8_t kMaxSearchedScale = 15;
constexpr size_t kSample = 32;
// How many scales above the one found are tried, when the sample has missed the longest decimals.
constexpr uint8_t kRetries = 3;
// With fewer patches than one in so many rows a frame of decimals is not tried otherwise.
constexpr size_t kRowsPerPatch = 64;
// Decimals of more bytes a value are perhaps none: 100 - 97.6 is a decimal of 15 digits too.
constexpr size_t kDecimalBytes = 3;
// A frame of the table must be smaller by one in so many bytes, for it is slower to read.
constexpr size_t kLeastGain = 32;
constexpr int64_t kMaxMantissa = (int64_t{1} << 53) - 1;

template <typename T>
void Reserve(std::vector<T>* values, size_t size) {
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
    const double value = values[SampledRow(i, values.size())];
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
  Patches patches;
  size_t longer = 0;  // patches that may be decimals of a larger scale
};

// Splits values into mantissas and patches; false when there would be too many patches to be worth it.
bool Split(std::span<const double> values, uint8_t scale, Decimals* out) {
  const size_t max_patches = MostPatches(values.size());
  out->mantissas.resize(values.size());
  out->patches = {};
  out->longer = 0;
  int64_t before = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t mantissa;
    if (MantissaOf(values[i], scale, &mantissa)) {
      before = mantissa;
    } else {
      if (out->patches.rows.size() == max_patches) return false;
      out->patches.Add(i, values[i]);
      if (std::isfinite(values[i]) && values[i] != 0) ++out->longer;
    }
    out->mantissas[i] = before;
  }
  return out->patches.rows.size() < values.size();
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
    if (best == kBinaryScale || decimals.patches.rows.size() < out->patches.rows.size()) {
      best = scale;
      std::swap(*out, decimals);
    }
    if (longer == 0) break;
  }
  return best;
}

Since AppendBits(std::span<const double> values, std::string* out, Effort effort) {
  std::vector<int64_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size_bytes());
  out->push_back(static_cast<char>(kBinaryScale));
  return EncodeInts(bits, out, effort);
}

// Divides mantissas by ten while all of them end in a zero.
uint8_t Reduce(std::vector<int64_t>* mantissas, uint8_t scale) {
  while (scale > 0 && std::all_of(mantissas->begin(), mantissas->end(), [](int64_t m) { return m % 10 == 0; })) {
    for (int64_t& mantissa : *mantissas) mantissa /= 10;
    --scale;
  }
  return scale;
}

constexpr std::array<FloatCodec, 4> kFloatCodecs = {{
    {FloatHead::kSingles, "singles", &EncodeSingles, &DecodeSingles},
    {FloatHead::kQuotients, "quotients", &EncodeQuotients, &DecodeQuotients},
    {FloatHead::kLevels, "levels", &EncodeLevels, &DecodeLevels},
    {FloatHead::kSplit, "split", &EncodeSplit, &DecodeSplit},
}};

const FloatCodec* FindFloatCodec(uint8_t head) {
  const auto found = std::find_if(kFloatCodecs.begin(), kFloatCodecs.end(),
                                  [&](const FloatCodec& row) { return static_cast<uint8_t>(row.head) == head; });
  return found == kFloatCodecs.end() ? nullptr : &*found;
}

// A frame without codecs of the table.
FloatFrame EncodePlain(std::span<const double> values, uint8_t scale, const Decimals& decimals, Effort effort,
                       std::string* out) {
  if (scale == kBinaryScale) return {kBinaryScale, AppendBits(values, out, effort)};
  if (decimals.patches.rows.empty()) {
    out->push_back(static_cast<char>(scale));
  } else {
    out->push_back(static_cast<char>(kPatched + scale));
    AppendPatches(decimals.patches, out, effort);
  }
  return {scale, EncodeInts(decimals.mantissas, out, effort)};
}

// Whether a frame gives the values that went into it, bit for bit. The codecs of the table calculate with doubles, so
// that a slip in the search for a form would be wrong values for ever; reading is some twenty times faster than the
// search was.
bool ReadsBack(const FloatCodec& codec, std::string_view frame, std::span<const double> values) {
  const auto back = std::make_unique_for_overwrite<double[]>(values.size());
  const Result<size_t> used = codec.decode(frame, values.size(), {0, values.size()}, back.get());
  return used.ok() && *used == frame.size() && std::memcmp(back.get(), values.data(), values.size_bytes()) == 0;
}

// Appends the smallest of the frames: of `plain`, and of the table's codecs without `except`.
FloatFrame AppendSmallest(std::span<const double> values, FloatFrame plain, std::string best, FloatHead except,
                          std::string* out) {
  std::string frame;
  for (const FloatCodec& codec : kFloatCodecs) {
    if (codec.head == except) continue;
    frame.assign(1, static_cast<char>(codec.head));
    if (!codec.encode(values, best.size() - best.size() / kLeastGain - 1, &frame)) continue;
    if (!ReadsBack(codec, std::string_view(frame).substr(1), values)) continue;
    std::swap(best, frame);
    plain = {kBinaryScale, Since::kStore3};
  }
  *out += best;
  return plain;
}

FloatFrame Encode(std::span<const double> values, uint8_t hint, Effort effort, FloatHead except, std::string* out) {
  if (values.empty()) return {hint, Since::kStore1};
  Decimals decimals;
  uint8_t scale = kBinaryScale;
  if (hint <= kMaxScale && Split(values, hint, &decimals) && decimals.patches.rows.empty()) {
    scale = Reduce(&decimals.mantissas, hint);
  } else {
    scale = FindScale(values, &decimals);
  }
  const bool decimal = scale != kBinaryScale && decimals.patches.rows.size() * kRowsPerPatch <= values.size();
  if (effort < Effort::kNewest) return EncodePlain(values, scale, decimals, effort, out);
  std::string plain;
  const FloatFrame frame = EncodePlain(values, scale, decimals, effort, &plain);
  if (decimal && plain.size() <= kDecimalBytes * values.size()) {
    *out += plain;
    return frame;
  }
  return AppendSmallest(values, frame, std::move(plain), except, out);
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

std::span<const FloatCodec> FloatCodecs() { return kFloatCodecs; }

FloatFrame EncodeFloats(std::span<const double> values, uint8_t hint, std::string* out, Effort effort) {
  return Encode(values, hint, effort, FloatHead{}, out);
}

void EncodeLevelValues(std::span<const double> values, std::string* out) {
  Encode(values, kBinaryScale, Effort::kNewest, FloatHead::kLevels, out);
}

FloatFrame EncodeDecimals(std::span<const int64_t> mantissas, uint8_t scale, std::string* out, Effort effort) {
  if (mantissas.empty()) return {scale, Since::kStore1};
  if (scale > 0 && mantissas[0] % 10 == 0) {
    std::vector<int64_t> reduced(mantissas.begin(), mantissas.end());
    const uint8_t reduced_scale = Reduce(&reduced, scale);
    out->push_back(static_cast<char>(reduced_scale));
    return {reduced_scale, EncodeInts(reduced, out, effort)};
  }
  out->push_back(static_cast<char>(scale));
  return {scale, EncodeInts(mantissas, out, effort)};
}

uint8_t FloatScaleOf(std::string_view bytes) {
  if (bytes.empty()) return kBinaryScale;
  const auto head = static_cast<uint8_t>(bytes[0]);
  if (head == kBinaryScale || FindFloatCodec(head) != nullptr) return kBinaryScale;
  return head >= kPatched ? static_cast<uint8_t>(head - kPatched) : head;
}

Result<DecodedFloats> DecodeFloats(std::string_view bytes, size_t count, RowRange rows, std::vector<int64_t>* ints,
                                   std::vector<double>* floats) {
  if (count == 0) return DecodedFloats{};
  if (bytes.empty()) return Corruption("float frame: no bytes");
  const size_t size = rows.end - rows.begin;
  const auto head = static_cast<uint8_t>(bytes[0]);
  if (const FloatCodec* const codec = FindFloatCodec(head); codec != nullptr) {
    Reserve(floats, size);
    TM_TRY_ASSIGN(const size_t frame_bytes, codec->decode(bytes.substr(1), count, rows, floats->data()));
    return DecodedFloats{kBinaryScale, 1 + frame_bytes};
  }
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
  if (scale != kBinaryScale && !patches.Touch(rows)) return DecodedFloats{scale, used};
  Reserve(floats, size);
  if (scale == kBinaryScale) {
    if (size != 0) std::memcpy(floats->data(), ints->data(), size * sizeof(double));
    return DecodedFloats{kBinaryScale, used};
  }
  const double power = model::PowerOfTen(scale);
  for (size_t i = 0; i < size; ++i) (*floats)[i] = static_cast<double>((*ints)[i]) / power;
  patches.Apply(rows, floats->data());
  return DecodedFloats{kBinaryScale, used};
}

}  // namespace tidemark::codec
