#include "clients/cpp/point.h"

#include <charconv>
#include <cmath>

namespace tidemark::client {
namespace {

void AppendEscaped(std::string_view text, std::string_view special, std::string* out) {
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out->push_back('\\');
    out->push_back(c);
  }
}

template <typename T>
void AppendNumber(T value, std::string* out) {
  char digits[32];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), value);
  out->append(digits, end.ptr);
}

}  // namespace

Point& Point::Reset(std::string_view measurement) {
  series_.clear();
  fields_.clear();
  error_.clear();
  has_time_ = false;
  if (!Check("the measurement", measurement)) return *this;
  // A line that begins with '#' is a comment.
  if (measurement.front() == '#') error_ = "the measurement \"" + std::string(measurement) + "\" begins with #";
  AppendEscaped(measurement, ", ", &series_);
  return *this;
}

bool Point::Check(std::string_view what, std::string_view text) {
  if (!error_.empty()) return false;
  const auto refuse = [&](std::string_view why) {
    error_ = std::string(what) + " \"" + std::string(text) + "\" " + std::string(why);
    return false;
  };
  if (text.empty()) return refuse("is empty");
  if (text.find('\n') != std::string_view::npos) return refuse("has a line feed in it");
  // It would escape the separator behind it, and line protocol has no way to escape a backslash.
  if (text.back() == '\\') return refuse("ends in a backslash");
  return true;
}

Point& Point::Tag(std::string_view name, std::string_view value) {
  if (value.empty() || !Check("the tag", name) || !Check("the tag value", value)) return *this;
  series_ += ',';
  AppendEscaped(name, ",= ", &series_);
  series_ += '=';
  AppendEscaped(value, ",= ", &series_);
  return *this;
}

bool Point::StartField(std::string_view name) {
  if (!Check("the field", name)) return false;
  if (!fields_.empty()) fields_ += ',';
  AppendEscaped(name, ",= ", &fields_);
  fields_ += '=';
  return true;
}

Point& Point::Bool(std::string_view name, bool value) {
  if (StartField(name)) fields_ += value ? "true" : "false";
  return *this;
}

Point& Point::Float(std::string_view name, double value) {
  if (std::isfinite(value) && StartField(name)) AppendNumber(value, &fields_);
  return *this;
}

Point& Point::Int(std::string_view name, int64_t value) {
  if (!StartField(name)) return *this;
  AppendNumber(value, &fields_);
  fields_ += 'i';
  return *this;
}

Point& Point::UInt(std::string_view name, uint64_t value) {
  if (!StartField(name)) return *this;
  AppendNumber(value, &fields_);
  fields_ += 'u';
  return *this;
}

Point& Point::Field(std::string_view name, std::string_view value) {
  if (!StartField(name)) return *this;
  fields_ += '"';
  AppendEscaped(value, "\"\\", &fields_);
  fields_ += '"';
  return *this;
}

Point& Point::Time(int64_t ns) {
  time_ns_ = ns;
  has_time_ = true;
  return *this;
}

std::string Point::error() const {
  if (!error_.empty()) return error_;
  return fields_.empty() ? "the point has no field that can be sent" : "";
}

void Point::AppendTo(int64_t time_ns, std::string* out) const {
  *out += series_;
  *out += ' ';
  *out += fields_;
  *out += ' ';
  AppendNumber(time_ns, out);
  *out += '\n';
}

}  // namespace tidemark::client
