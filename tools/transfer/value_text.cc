#include "tools/transfer/value_text.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <system_error>

#include "storage/model/stale_marker.h"

namespace tidemark::transfer {
namespace {

using model::FieldType;

constexpr auto kPlainNan = std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());
constexpr std::string_view kNanWithBits = "NaN:";

template <typename T>
void AppendNumber(std::string* out, T value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, end);
}

template <typename T, typename... More>
std::optional<T> ParseWhole(std::string_view text, More... more) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, more...);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void AppendFloat(std::string* out, uint64_t bits) {
  const double value = std::bit_cast<double>(bits);
  if (std::isfinite(value)) {
    AppendNumber(out, value);
  } else if (std::isinf(value)) {
    *out += value > 0 ? "+Inf" : "-Inf";
  } else if (bits == model::kStaleMarkerBits) {
    *out += "stale";
  } else if (bits == kPlainNan) {
    *out += "NaN";
  } else {
    char digits[16];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), bits, 16);
    *out += kNanWithBits;
    out->append(sizeof(digits) - static_cast<size_t>(end - digits), '0');
    out->append(digits, end);
  }
}

std::optional<uint64_t> ParseFloat(std::string_view text) {
  if (text == "stale") return model::kStaleMarkerBits;
  if (text.starts_with(kNanWithBits)) {
    const auto bits = ParseWhole<uint64_t>(text.substr(kNanWithBits.size()), 16);
    if (!bits || !std::isnan(std::bit_cast<double>(*bits))) return std::nullopt;
    return bits;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto value = ParseWhole<double>(text);
  if (!value) return std::nullopt;
  // from_chars gives "nan(...)" and "-nan" what the library likes: here a NaN without bits is the plain one.
  if (std::isnan(*value)) return kPlainNan;
  return std::bit_cast<uint64_t>(*value);
}

}  // namespace

void AppendValue(std::string* out, FieldType type, uint64_t bits) {
  switch (type) {
    case FieldType::kFloat: AppendFloat(out, bits); break;
    case FieldType::kInt: AppendNumber(out, std::bit_cast<int64_t>(bits)); break;
    case FieldType::kUInt: AppendNumber(out, bits); break;
    case FieldType::kBool: *out += bits != 0 ? "true" : "false"; break;
    case FieldType::kString: break;
  }
}

std::optional<uint64_t> ParseValue(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::kFloat: return ParseFloat(text);
    case FieldType::kInt: {
      const auto value = ParseWhole<int64_t>(text);
      if (!value) return std::nullopt;
      return std::bit_cast<uint64_t>(*value);
    }
    case FieldType::kUInt: return ParseWhole<uint64_t>(text);
    case FieldType::kBool:
      if (text == "true") return 1;
      if (text == "false") return 0;
      return std::nullopt;
    case FieldType::kString: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<FieldType> ParseType(std::string_view name) {
  for (const FieldType type :
       {FieldType::kFloat, FieldType::kInt, FieldType::kUInt, FieldType::kBool, FieldType::kString}) {
    if (name == model::Name(type)) return type;
  }
  return std::nullopt;
}

bool IsSpecial(uint64_t bits) { return !std::isfinite(std::bit_cast<double>(bits)); }

void AppendDigits(std::string* out, int64_t value) { AppendNumber(out, value); }

}  // namespace tidemark::transfer
