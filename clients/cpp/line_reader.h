// LineReader: rows of line protocol taken apart, for the encoding that is not line protocol. It reads what Point writes
// and what any sender may hand to WriteLines; of a line that it does not understand it says so, and the batch then goes
// out as it is, so that the server is who says what is wrong with it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::client {

// One field of a line. Views into the line, or into the reader until its next line.
struct LineField {
  enum class Type : uint8_t { kInt, kUInt, kBool, kString, kDecimal, kDouble };

  std::string_view name;  // unescaped
  Type type = Type::kInt;
  int64_t number = 0;     // kInt, kBool; kUInt: its bits; kDecimal: the mantissa
  uint8_t scale = 0;      // kDecimal: the value is number / 10^scale, exactly; at most 22
  double real = 0;        // kDecimal, kDouble
  std::string_view text;  // kString, unescaped
};

struct Line {
  std::string_view series;  // as it was written
  std::vector<LineField> fields;
  int64_t time_ns = 0;
};

// Not thread-safe.
class LineReader {
 public:
  // Whether `text`, a line without its line feed, is one row with a time that this reader understands.
  bool Read(std::string_view text, Line* line);

  // The key of a series in the native encoding: measurement, then tags by name, each as a varint length and its bytes.
  // false for a series that the server would refuse.
  static bool CanonicalKey(std::string_view series, std::string* key);

 private:
  bool ReadField(std::string_view text, size_t* at, LineField* field);
  bool ReadString(std::string_view text, size_t* at, LineField* field);
  static bool ReadNumber(std::string_view word, LineField* field);
  // `text` without the backslashes in front of `escapable`.
  std::string_view Unescape(std::string_view text, std::string_view escapable);

  std::deque<std::string> kept_;  // unescaped texts of the present line, which stay where they are
  size_t kept_size_ = 0;
};

}  // namespace tidemark::client
