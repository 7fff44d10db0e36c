#include "query/api/json.h"

#include <algorithm>
#include <cmath>

namespace tidemark::query::api {
namespace {

char* WriteText(char* at, std::string_view text) { return std::ranges::copy(text, at).out; }

template <typename Range>
void AppendLabelObject(std::string* out, const Range& labels) {
  out->push_back('{');
  bool first = true;
  for (const auto& label : labels) {
    if (!first) out->push_back(',');
    first = false;
    AppendJsonString(out, label.name);
    out->push_back(':');
    AppendJsonString(out, label.value);
  }
  out->push_back('}');
}

}  // namespace

void AppendFloat(std::string* out, double value) {
  char buffer[kFloatBytesMax];
  out->append(buffer, WriteFloat(buffer, value));
}

char* WriteFloat(char* at, double value) {
  char* const limit = at + kFloatBytesMax;
  const double magnitude = std::fabs(value);
  // Whole numbers are the most frequent values and the cheapest to print. Zero is left out for the sign of -0.
  if (magnitude < 9e15 && magnitude >= 1) {
    if (const auto whole = static_cast<int64_t>(value); static_cast<double>(whole) == value) {
      return std::to_chars(at, limit, whole).ptr;
    }
  }
  if (std::isnan(value)) return WriteText(at, "NaN");
  if (std::isinf(value)) return WriteText(at, value > 0 ? "+Inf" : "-Inf");
  if (magnitude == 0) return WriteText(at, std::signbit(value) ? "-0" : "0");
  if (magnitude >= 1e-6 && magnitude < 9e15) return std::to_chars(at, limit, value, std::chars_format::fixed).ptr;
  char buffer[kFloatBytesMax];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  if (magnitude < 1e-6 || magnitude >= 1e21) return WriteText(at, text);
  // Here fixed notation of to_chars would print all digits of the binary value; Go pads the shortest ones with zeros.
  const size_t exponent_at = text.find('e');
  size_t exponent = 0;
  std::from_chars(text.data() + exponent_at + 2, end, exponent);
  std::string_view mantissa = text.substr(0, exponent_at);
  if (mantissa.front() == '-') {
    *at++ = '-';
    mantissa.remove_prefix(1);
  }
  *at++ = mantissa.front();
  const std::string_view fraction = mantissa.size() > 2 ? mantissa.substr(2) : std::string_view();
  at = WriteText(at, fraction);
  return std::fill_n(at, exponent - fraction.size(), '0');
}

void AppendFloatExponent(std::string* out, double value) {
  if (!std::isfinite(value)) {
    AppendFloat(out, value);
    return;
  }
  char buffer[40];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  out->append(buffer, end);
}

void AppendJsonNumber(std::string* out, double value) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  AppendFloat(out, value);
}

void AppendTimestampMs(std::string* out, int64_t ms) {
  char buffer[kTimestampBytesMax];
  out->append(buffer, WriteTimestampMs(buffer, ms));
}

char* WriteTimestampMs(char* at, int64_t ms) {
  char* const limit = at + kTimestampBytesMax;
  uint64_t magnitude = static_cast<uint64_t>(ms);
  if (ms < 0) {
    *at++ = '-';
    magnitude = 0 - magnitude;
  }
  at = std::to_chars(at, limit, magnitude / 1000).ptr;
  const auto fraction = static_cast<int>(magnitude % 1000);
  if (fraction != 0) {
    *at++ = '.';
    *at++ = static_cast<char>('0' + fraction / 100);
    *at++ = static_cast<char>('0' + fraction / 10 % 10);
    *at++ = static_cast<char>('0' + fraction % 10);
  }
  return at;
}

void AppendLabels(std::string* out, const model::Labels& labels) { AppendLabelObject(out, labels); }
void AppendLabels(std::string* out, std::span<const model::LabelView> labels) { AppendLabelObject(out, labels); }

void AppendStrings(std::string* out, std::span<const std::string> strings) {
  out->push_back('[');
  for (size_t i = 0; i < strings.size(); ++i) {
    if (i > 0) out->push_back(',');
    AppendJsonString(out, strings[i]);
  }
  out->push_back(']');
}

}  // namespace tidemark::query::api
