// Point: one row of line protocol, built field by field.
//
//   Point point("cpu");
//   point.Tag("host", "a").Field("user", 1.5).Field("forks", 3).Field("ok", true).Field("note", "fine").Time(now_ns);
//
// What line protocol cannot carry is left out or refused: a tag with an empty value and a float that is NaN or infinite
// are left out; an empty name, a line feed in a name or tag, and a name or tag that ends in a backslash make error()
// speak, and Writer::Write refuses the point.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace tidemark::client {

// Not thread-safe. Keeps its memory over Reset, so that one Point can build many rows.
class Point {
 public:
  explicit Point(std::string_view measurement) { Reset(measurement); }

  // Begins a new row.
  Point& Reset(std::string_view measurement);

  Point& Tag(std::string_view name, std::string_view value);

  // A bool, a float, a signed integer ("3i") or an unsigned one ("3u"): the four are different types to the server, and
  // a field keeps the type of its first point.
  template <typename T>
    requires std::is_arithmetic_v<T>
  Point& Field(std::string_view name, T value) {
    if constexpr (std::is_same_v<T, bool>) {
      return Bool(name, value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return Float(name, static_cast<double>(value));
    } else if constexpr (std::is_unsigned_v<T>) {
      return UInt(name, value);
    } else {
      return Int(name, value);
    }
  }
  Point& Field(std::string_view name, std::string_view value);
  Point& Field(std::string_view name, const char* value) { return Field(name, std::string_view(value)); }

  // Nanoseconds since 1970. A point without a time gets the writer's present one.
  Point& Time(int64_t ns);
  Point& Time(std::chrono::system_clock::time_point time) {
    return Time(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
  }

  // "" when the point can be sent; else the first thing that is wrong with it.
  [[nodiscard]] std::string error() const;
  [[nodiscard]] bool has_time() const { return has_time_; }
  [[nodiscard]] int64_t time_ns() const { return time_ns_; }

  // Appends the row with `time_ns` and a line feed. Only when error() is empty.
  void AppendTo(int64_t time_ns, std::string* out) const;

 private:
  Point& Bool(std::string_view name, bool value);
  Point& Float(std::string_view name, double value);
  Point& Int(std::string_view name, int64_t value);
  Point& UInt(std::string_view name, uint64_t value);
  // Begins a field; false when its name is refused.
  bool StartField(std::string_view name);
  bool Check(std::string_view what, std::string_view text);

  std::string series_;  // measurement and tags, escaped
  std::string fields_;
  std::string error_;
  int64_t time_ns_ = 0;
  bool has_time_ = false;
};

}  // namespace tidemark::client
