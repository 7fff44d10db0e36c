// Line protocol: bytes -> Batch. Grammar, limits and error words: README.md beside this file.
//
//   Parser parser;
//   model::Batch batch;
//   ParseReport report = parser.Parse(body, {.default_time = now}, &batch);
//   if (report.lines_bad > 0) answer(400, ErrorText(report));
//
// Good lines become rows, in order; bad lines are named in the report and leave nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/limits.h"
#include "storage/model/timestamp.h"

namespace tidemark::lineprotocol {

// The unit of the timestamps in the input. The value is its length in nanoseconds.
enum class Precision : int64_t {
  kNanosecond = 1,
  kMicrosecond = 1'000,
  kMillisecond = 1'000'000,
  kSecond = 1'000'000'000,
  kMinute = 60'000'000'000,
  kHour = 3'600'000'000'000,
};

// "n", "ns", "u", "us", "µ", "µs", "ms", "s", "m" or "h"; "" is nanoseconds, as in /write without the parameter.
// Anything else is kInvalidArgument with the words of InfluxDB 1.x.
Result<Precision> ParsePrecision(std::string_view text);

struct Limits {
  // Bytes of one line, newlines inside its strings included, its end not. Longer lines are refused, not cut.
  size_t max_line_bytes = size_t{4} << 20;
  // Bytes of one string value after unescaping. InfluxDB's own limit is 1 MiB.
  size_t max_string_bytes = size_t{1} << 20;
  // Bytes of a line's `measurement,tags` as written + 4 + its longest field name as written. InfluxDB's limit.
  size_t max_key_bytes = model::kSeriesKeyBytesMax;
  // How many bad lines are described in the report; all are counted.
  size_t max_errors = 100;
  // Bytes of the offending line that LineError::text keeps.
  size_t max_error_text_bytes = 512;
};

struct ParseOptions {
  Precision precision = Precision::kNanosecond;
  // The time of lines without one, truncated (towards the past) to `precision`.
  model::Timestamp default_time = {};
  Limits limits = {};
  // Adds to the batch, which this parser filled last and nobody has changed since, instead of clearing it.
  bool append = false;
};

// A line that was not taken.
struct LineError {
  uint32_t line = 0;    // 1-based; of the place of the error, when the line holds strings with newlines
  uint32_t column = 0;  // 1-based, in bytes
  std::string reason;   // in the words of InfluxDB 1.x where it has them
  std::string text;     // the line; when longer than the limit its start and "..."
};

struct ParseReport {
  size_t lines_ok = 0;  // lines that became rows; comments and blank lines do not count
  size_t lines_bad = 0;
  std::vector<LineError> errors;  // the first max_errors of them
};

// What InfluxDB 1.x answers: `unable to parse '<text>': <reason>` for each error, joined by newlines, and a last line
// that says how many more there were.
std::string ErrorText(const ParseReport& report);

// A parser that remembers, from batch to batch, which series keys it has validated (by 128-bit hash) and which fields
// rows have, so that a line like an earlier one costs little more than reading it. Bounded: 24 bytes for each
// series up to 6 MiB, and 4 MiB for fields. Not thread-safe: one per connection or worker.
class Parser {
 public:
  Parser();
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Clears `batch`, unless the options say otherwise, and fills it from `body`, whose last line may lack its newline.
  // The batch's views point into `body` or into the batch's arena. At most 4 GiB.
  ParseReport Parse(std::string_view body, const ParseOptions& options, model::Batch* batch);

 private:
  class State;
  std::unique_ptr<State> state_;
};

// Parse with a parser that remembers nothing.
ParseReport Parse(std::string_view body, const ParseOptions& options, model::Batch* batch);

}  // namespace tidemark::lineprotocol
