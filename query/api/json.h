// JSON written straight into one growing buffer, without intermediate strings: the numbers and texts of replies.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "storage/model/labels.h"

namespace tidemark::query::api {

using text::AppendJsonString;
using text::AppendRfc3339;

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
// The same to `at`, where at least kFloatBytesMax bytes are; the end of what was written.
inline constexpr size_t kFloatBytesMax = 48;
char* WriteFloat(char* at, double value);

// The shortest decimal with an exponent: 1.5e+00, as Go's FormatFloat(value, 'e', -1, 64).
void AppendFloatExponent(std::string* out, double value);

// A JSON number; null for NaN and the infinities.
void AppendJsonNumber(std::string* out, double value);

// Milliseconds as seconds: 1700000000, 1700000000.050.
void AppendTimestampMs(std::string* out, int64_t ms);
// The same to `at`, where at least kTimestampBytesMax bytes are; the end of what was written.
inline constexpr size_t kTimestampBytesMax = 24;
char* WriteTimestampMs(char* at, int64_t ms);

// {"name":"value",...}
void AppendLabels(std::string* out, const model::Labels& labels);
void AppendLabels(std::string* out, std::span<const model::LabelView> labels);

// Writes the fields of one object: `{` when made, `}` when it goes.
class JsonObject {
 public:
  explicit JsonObject(std::string* out) : out_(out) { out_->push_back('{'); }
  ~JsonObject() { out_->push_back('}'); }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  // The place where the value of `name`, which needs no escapes, is to be written.
  std::string* Key(std::string_view name) {
    if (!first_) out_->push_back(',');
    first_ = false;
    out_->push_back('"');
    out_->append(name);
    out_->append("\":");
    return out_;
  }
  void String(std::string_view name, std::string_view value) { AppendJsonString(Key(name), value); }
  template <std::integral T>
  void Integer(std::string_view name, T value) {
    AppendInteger(Key(name), value);
  }
  void Bool(std::string_view name, bool value) { Key(name)->append(value ? "true" : "false"); }
  // JSON that is finished.
  void Raw(std::string_view name, std::string_view json) { Key(name)->append(json); }

 private:
  std::string* const out_;
  bool first_ = true;
};

// ["a","b"]
void AppendStrings(std::string* out, std::span<const std::string> strings);

}  // namespace tidemark::query::api
