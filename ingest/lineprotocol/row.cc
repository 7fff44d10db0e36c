#include "ingest/lineprotocol/row.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ingest/lineprotocol/number.h"
#include "ingest/lineprotocol/text.h"
#include "storage/model/series_key.h"
#include "storage/model/timestamp.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "storage/base/utf8.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;

// Bit i is set when bytes i of both are equal, for 32 bytes.
uint32_t EqualBytes(const char* a, const char* aligned) {
#if defined(__x86_64__)
  const auto half = [&](size_t from) {
    return static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + from)),
                                         _mm_load_si128(reinterpret_cast<const __m128i*>(aligned + from)))));
  };
  return half(0) | half(16) << 16;
#else
  uint32_t equal = 0;
  for (uint32_t i = 0; i < 32; ++i) equal |= (a[i] == aligned[i] ? 1U : 0U) << i;
  return equal;
#endif
}

bool Matches(const CachedShape& shape, const CachedField& field, const char* at) {
  if ((EqualBytes(at, field.head) & field.head_mask) != field.head_mask) return false;
  if (field.size <= sizeof(field.head)) [[likely]]
    return true;
  return std::memcmp(at + sizeof(field.head), shape.literals.data() + field.literal + sizeof(field.head),
                     field.size - sizeof(field.head)) == 0;
}

bool EndsValue(char c) { return c == ',' || c == ' ' || c == '\n' || c == '\r'; }

// The readers below return the byte behind the value, or nullptr when it is not plainly of the expected type.

const char* ReadAnyNumber(const char* at, const char* end, FieldType type, int64_t* value, uint8_t* scale) {
  const char* const stop = std::find_if(at, end, EndsValue);
  if (at == stop || (*at != '-' && *at != '.' && (*at < '0' || *at > '9'))) return nullptr;
  const Number number = ParseNumber({at, static_cast<size_t>(stop - at)});
  if (number.error != NumberError::kNone || number.type != type) return nullptr;
  *value = number.value;
  *scale = number.scale;
  return stop;
}

// Up to seven digits and a suffix; longer ones in general.
inline const char* ReadWhole(const char* at, const char* end, FieldType type, char suffix, int64_t* value,
                             uint8_t* scale) {
  const char* digits = at;
  const bool negative = *digits == '-';
  digits += negative ? 1 : 0;
  const uint64_t chunk = LoadChunk(digits);
  const uint64_t others = NonDigits(chunk);
  const unsigned count = LeadingDigits(others);
  if (others != 0 && count > 0 && digits[count] == suffix && EndsValue(digits[count + 1]) &&
      (!negative || type == FieldType::kInt)) [[likely]] {
    const auto number = static_cast<int64_t>(DigitsValue(chunk, count));
    *value = negative ? -number : number;
    return digits + count + 1;
  }
  return ReadAnyNumber(at, end, type, value, scale);
}

// Up to seven digits, and a point behind the first or a later one; others in general.
inline const char* ReadFloat(const char* at, const char* end, int64_t* value, uint8_t* scale) {
  const char* digits = at;
  const bool negative = *digits == '-';
  digits += negative ? 1 : 0;
  uint64_t chunk = LoadChunk(digits);
  uint64_t others = NonDigits(chunk);
  const unsigned before_point = LeadingDigits(others);
  if (others != 0 && before_point > 0) [[likely]] {
    unsigned count = before_point;
    unsigned point = 0;
    if (digits[before_point] == '.') {
      // Close the gap: the digits behind the point move down by one, and a mark comes in at the top.
      const uint64_t below = (uint64_t{1} << (8 * before_point)) - 1;
      chunk = (chunk & below) | ((chunk >> 8) & ~below);
      others = (((others >> 8) & ~below) | uint64_t{0x80} << 56);
      count = LeadingDigits(others);
      point = 1;
    }
    const uint64_t mantissa = DigitsValue(chunk, count);
    if (EndsValue(digits[count + point]) && (mantissa != 0 || !negative)) [[likely]] {
      *value = negative ? -static_cast<int64_t>(mantissa) : static_cast<int64_t>(mantissa);
      *scale = static_cast<uint8_t>(count - before_point);
      return digits + count + point;
    }
  }
  return ReadAnyNumber(at, end, FieldType::kFloat, value, scale);
}

const char* ReadBool(const char* at, const char* end, int64_t* value) {
  const char* const stop = std::find_if(at, end, EndsValue);
  const std::string_view word(at, static_cast<size_t>(stop - at));
  const bool yes = word == "t" || word == "T" || word == "true" || word == "True" || word == "TRUE";
  const bool no = word == "f" || word == "F" || word == "false" || word == "False" || word == "FALSE";
  *value = yes ? 1 : 0;
  return yes || no ? stop : nullptr;
}

const char* ReadString(const char* at, const char* end, const Limits& limits, const RowTarget& target, int64_t* value,
                       uint32_t* newlines) {
  if (*at != '"') return nullptr;
  const char* const text = at + 1;
  bool escaped = false;
  bool ascii = true;
  at = text;
  while (true) {
    const StringStop stop = FindStringStop(at, end);
    ascii = ascii && stop.ascii;
    at = stop.at;
    if (end - at < 2) return nullptr;
    if (*at == '"') break;
    const bool escape = at[1] == '"' || at[1] == '\\';
    escaped = escaped || escape;
    at += escape ? 2 : 1;
  }
  std::string_view bytes(text, static_cast<size_t>(at - text));
  ++at;
  if (!EndsValue(*at) || (!ascii && !IsUtf8(bytes))) return nullptr;
  *newlines += static_cast<uint32_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  if (escaped) bytes = model::UnescapeLineProtocol(bytes, "\"\\", target.arena);
  if (bytes.size() > limits.max_string_bytes) return nullptr;
  *value = static_cast<int64_t>(target.strings->size());
  target.strings->push_back(bytes);
  return at;
}

// The end of a line at `at`, or nullptr.
const char* PassLineEnd(const char* at) {
  if (*at == '\r') ++at;
  return *at == '\n' ? at + 1 : nullptr;
}

// A time without a sign of at most 19 digits, and the newline behind it. [at, at + kRowSlack) may be read.
const char* ReadTime(const char* at, Precision precision, int64_t* ns) {
  uint64_t value = 0;
  unsigned total = 0;
  while (total < 24) {
    const uint64_t chunk = LoadChunk(at);
    const uint64_t others = NonDigits(chunk);
    const unsigned count = others == 0 ? 8 : LeadingDigits(others);
    if (count == 0) break;
    total += count;
    if (total > 19) return nullptr;
    constexpr uint64_t kPowers[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
    value = value * kPowers[count] + DigitsValue(chunk, count);
    at += count;
    if (count < 8) break;
  }
  const auto unit = static_cast<uint64_t>(precision);
  if (total == 0 || value > static_cast<uint64_t>(model::kMaxTime.ns) / unit) return nullptr;
  *ns = static_cast<int64_t>(value * unit);
  return PassLineEnd(at);
}

}  // namespace

RowResult ReadRow(const CachedShape& shape, const char* at, const char* end, const ParseOptions& options,
                  model::Timestamp default_time, const RowTarget& target) {
  RowResult result;
  int64_t* value = target.values;
  uint8_t* scale = target.scales;
  for (const CachedField& field : shape.fields) {
    if (end - at < static_cast<ptrdiff_t>(field.size + kRowSlack)) [[unlikely]]
      return {};
    if (!Matches(shape, field, at)) return {};
    at += field.size;
    *scale = 0;
    switch (field.type) {
      case FieldType::kFloat: at = ReadFloat(at, end, value, scale); break;
      case FieldType::kInt: at = ReadWhole(at, end, FieldType::kInt, 'i', value, scale); break;
      case FieldType::kUInt: at = ReadWhole(at, end, FieldType::kUInt, 'u', value, scale); break;
      case FieldType::kBool: at = ReadBool(at, end, value); break;
      case FieldType::kString: at = ReadString(at, end, options.limits, target, value, &result.newlines); break;
    }
    if (at == nullptr) return {};
    ++value;
    ++scale;
  }
  if (end - at < static_cast<ptrdiff_t>(kRowSlack)) [[unlikely]]
    return {};
  if (*at == ' ') {
    result.next = ReadTime(at + 1, options.precision, &result.time.ns);
  } else {
    result.time = default_time;
    result.next = PassLineEnd(at);
  }
  return result;
}

}  // namespace tidemark::lineprotocol
