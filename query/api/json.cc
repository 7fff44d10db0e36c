#include "query/api/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tidemark::query::api {
namespace {

// Bytes that can be copied as they are: printable ASCII but the quote and the backslash.
bool IsPlain(unsigned char c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

// Length of the valid UTF-8 sequence at the start of `text`, or 0. Source: Unicode 15, table 3-7.
size_t Utf8Length(std::string_view text) {
  const auto byte = [text](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto follows = [](unsigned b) { return (b & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(byte(1)) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return byte(1) >= low && byte(1) <= high && follows(byte(2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && follows(byte(2)) && follows(byte(3)) ? 4 : 0;
  }
  return 0;
}

void AppendEscaped(std::string* out, unsigned char c) {
  switch (c) {
    case '"': out->append("\\\""); return;
    case '\\': out->append("\\\\"); return;
    case '\n': out->append("\\n"); return;
    case '\r': out->append("\\r"); return;
    case '\t': out->append("\\t"); return;
    default: {
      static constexpr char kHex[] = "0123456789abcdef";
      const char escape[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
      out->append(escape, sizeof(escape));
    }
  }
}

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

void AppendJsonString(std::string* out, std::string_view text) {
  out->push_back('"');
  size_t plain = 0;  // start of the run that has not been copied yet
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsPlain(c)) {
      ++i;
      continue;
    }
    if (c >= 0x80) {
      if (const size_t length = Utf8Length(text.substr(i)); length != 0) {
        i += length;
        continue;
      }
    }
    out->append(text.substr(plain, i - plain));
    if (c >= 0x80) {
      out->append("\\ufffd");
    } else {
      AppendEscaped(out, c);
    }
    plain = ++i;
  }
  out->append(text.substr(plain));
  out->push_back('"');
}

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

void AppendRfc3339(std::string* out, int64_t ns) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::nanoseconds> time{chrono::nanoseconds(ns)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  out->append(fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                          clock.minutes().count(), clock.seconds().count()));
  if (const int64_t fraction = clock.subseconds().count(); fraction != 0) {
    std::string digits = fmt::format(".{:09}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    out->append(digits);
  }
  out->push_back('Z');
}

}  // namespace tidemark::query::api
