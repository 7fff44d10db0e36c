// Gate: what a task must reach besides its exit code: a number, taken from what the task wrote, and its limits.
//
//   gate:
//     regex: 'lines[.:]+ ([0-9.]+)%'   # RE2; the number is its first group (without a group, the whole match)
//     unit: '%'
//     warn: '< 85'                     # warns below 85
//     fail: '< 70'                     # fails below 70
//   gate:
//     json: totals.issues.0.count      # keys and positions, from the whole output as JSON
//     file: build/report.json          # the same from a file, relative to the task's working directory
//     fail: '> 0'
//
// A regular expression is matched against each line, and the last number found counts. No number found fails the gate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "executor/telemetry/run_facts.h"
#include "storage/base/result.h"

namespace tidemark::executor {

// A condition on a number: "< 85".
struct Limit {
  enum class Op { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual, kNotEqual };
  Op op = Op::kLess;
  double bound = 0;

  [[nodiscard]] bool Holds(double value) const;
  [[nodiscard]] std::string ToText() const;
};

// "< 85", "<= 85", "> 0", ">= 1", "== 0", "!= 0". kInvalidArgument for anything else and for numbers that are not
// finite.
Result<Limit> ParseLimit(std::string_view text);

struct GateSpec {
  std::string regex{};  // exactly one of the two is given
  std::string json{};
  std::string file{};  // "": the task's output
  std::string unit{};
  std::optional<Limit> warn{};
  std::optional<Limit> fail{};

  // kInvalidArgument: no or two sources, a bad expression, no limit at all.
  [[nodiscard]] Result<void> Check() const;
};

// What one line of text may hold for a gate or a progress figure; longer lines are looked at piece by piece.
inline constexpr size_t kMaxGateLineBytes = size_t{64} << 10;
// The largest JSON document of a gate.
inline constexpr size_t kMaxGateJsonBytes = size_t{16} << 20;

// Reads the number of one attempt while its output comes. Not thread-safe.
class GateReader {
 public:
  // `spec` must pass Check and outlive it.
  explicit GateReader(const GateSpec& spec);
  ~GateReader();
  GateReader(const GateReader&) = delete;
  GateReader& operator=(const GateReader&) = delete;

  void Append(std::string_view output);
  // At the end of the task; `working_directory` is where `file` is looked for. `may_go_on` is asked while that is read:
  // when it says no, the gate fails.
  GateFacts Finish(const std::string& working_directory, const std::function<bool()>& may_go_on = nullptr);

 private:
  class Source;
  const GateSpec& spec_;
  std::unique_ptr<Source> source_;
};

// The number at `path` of the JSON text: keys and array positions between dots. Errors: kInvalidArgument (no JSON, no
// such place, no number there).
Result<double> NumberAt(std::string_view json, std::string_view path);

}  // namespace tidemark::executor
