// JSON written straight into one growing buffer, without intermediate strings: the numbers and texts of replies.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/model/labels.h"

namespace tidemark::query::api {

// `text` in quotes. Bytes that are not UTF-8 become U+FFFD, as Go's encoder does, so that the reply is always valid.
void AppendJsonString(std::string* out, std::string_view text);

template <std::integral T>
void AppendInteger(std::string* out, T value) {
  char buffer[24];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out->append(buffer, end);
}

// A sample's value as Prometheus prints it, without quotes: the shortest decimal that reads back as the same double,
// in fixed notation for 1e-6 <= |value| < 1e21 and 0, else with an exponent of at least two digits; NaN, +Inf, -Inf.
// Source: prometheus/util/jsonutil MarshalFloat.
void AppendFloat(std::string* out, double value);

// The shortest decimal with an exponent: 1.5e+00, as Go's FormatFloat(value, 'e', -1, 64).
void AppendFloatExponent(std::string* out, double value);

// A JSON number; null for NaN and the infinities.
void AppendJsonNumber(std::string* out, double value);

// Milliseconds as seconds: 1700000000, 1700000000.050.
void AppendTimestampMs(std::string* out, int64_t ms);

// {"name":"value",...}
void AppendLabels(std::string* out, const model::Labels& labels);
void AppendLabels(std::string* out, std::span<const model::LabelView> labels);

// Nanoseconds since 1970 as RFC 3339 in UTC with as many digits as needed: 2023-11-14T22:13:20.5Z.
void AppendRfc3339(std::string* out, int64_t ns);

}  // namespace tidemark::query::api
