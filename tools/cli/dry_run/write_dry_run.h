// The dry run of `tidemark write`: says what a server would take from line protocol, without one.
#pragma once

#include <iosfwd>

#include "ingest/lineprotocol/parser.h"

namespace tidemark::cli {

struct DryRunOptions {
  lineprotocol::Precision precision = lineprotocol::Precision::kNanosecond;
  // The time of lines without one.
  model::Timestamp default_time = {};
  // One JSON object per line instead of text for people.
  bool json = false;
};

// Reads all of `input` and writes to `output`, in the order of the input and nothing for comments and blank lines:
//   JSON   {"line":1,"measurement":"m","tags":{"k":"v"},"fields":{"f":{"float":1.5}},"time":123} for a good line, where
//          the type is float, int, uint, bool or string, int and uint are strings and time is in nanoseconds;
//          {"line":2,"column":7,"error":"missing field value"} for a bad one
//   text   `line LINE:COLUMN: reason`, and the line, for the first line of each reason, then how many more each has
//          (refusals.h) and a line of counts
// Returns the exit code: 0 when every line is good, 1 when one is bad.
int WriteDryRun(std::istream& input, const DryRunOptions& options, std::ostream& output);

}  // namespace tidemark::cli
