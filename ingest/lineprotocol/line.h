// Line: one line of line protocol taken apart, and every way in which it can be wrong. The careful half of the parser:
// it reads the lines that are not like an earlier one, and finds the words for the bad ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/lineprotocol/number.h"
#include "ingest/lineprotocol/parser.h"
#include "storage/base/arena.h"
#include "storage/model/field.h"
#include "storage/model/labels.h"

namespace tidemark::lineprotocol {

// What InfluxDB puts between series key and field name, and counts in the limit for both.
inline constexpr size_t kKeySeparatorBytes = 4;

struct Problem {
  const char* at;      // the byte that the column names
  const char* resume;  // where the search for the end of the bad line goes on
  std::string reason;
};

struct LineField {
  std::string_view raw_name;  // escapes as written
  Number number;              // bools: value 0 or 1; strings: not used
  std::string_view text;      // of a string, unescaped: in the input or in the arena
};

struct Line {
  std::string_view key;  // `measurement,tags` as written
  size_t measurement_size = 0;
  std::vector<LineField> fields;  // names are unique; of a name given twice the last value stays, in the first place
  model::Timestamp time;
  const char* next = nullptr;  // the start of the following line

  [[nodiscard]] std::string_view raw_measurement() const { return key.substr(0, measurement_size); }
};

// Reads lines; keeps scratch memory between them.
class LineReader {
 public:
  explicit LineReader(Arena* arena) : arena_(arena) {}

  // Reads the line at `at`, which is no blank or comment, up to its newline or `end`.
  std::optional<Problem> Read(const char* at, const char* end, const ParseOptions& options, Line* line);

  // Checks a series key alone: [at, end) up to the space behind it. Sets the line's key.
  std::optional<Problem> ReadKey(const char* at, const char* end, Line* line);

 private:
  std::optional<Problem> ReadField(const ParseOptions& options, LineField* field);
  std::optional<Problem> ReadString(const ParseOptions& options, LineField* field);
  std::optional<Problem> ReadTime(const ParseOptions& options, Line* line);
  std::optional<Problem> MergeDuplicates(Line* line);
  std::optional<Problem> CheckSizes(const char* begin, const Limits& limits, const Line& line) const;
  [[nodiscard]] bool AtLineEnd() const;

  Arena* arena_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::vector<std::string_view> names_;
  std::vector<uint32_t> order_;
};

// What stands at the start of a line.
struct LineStart {
  enum class Kind { kLine, kEnd, kProblem };
  Kind kind;
  const char* at;         // the first byte of the line, or of the comment with the problem
  uint32_t newlines = 0;  // how many were passed
  const char* problem = nullptr;
};
// Passes blank lines, spaces and comments. A comment with control characters is a problem.
LineStart SkipToLine(const char* at, const char* end);

// One past the newline that ends the line at `at`, or `end`.
const char* NextLine(const char* at, const char* end);

// `text` as a time in nanoseconds, or the reason in `reason`.
std::optional<int64_t> ParseTime(std::string_view text, Precision precision, std::string* reason);

// `default_time` truncated towards the past.
model::Timestamp Truncate(model::Timestamp time, Precision precision);

// "unable to parse integer ..." and its like.
std::string ReasonOf(NumberError error, std::string_view token);

}  // namespace tidemark::lineprotocol
