// RunScript: a script against the engine over an in-memory view.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::query::conformance {

struct Failure {
  int line = 0;
  std::string query;
  std::string reason;
  bool native = false;
};

// Cases that have to do with native histograms, in the data loaded before them or in what they expect, count apart.
struct Tally {
  int float_cases = 0;
  int float_passed = 0;
  int native_cases = 0;
  int native_passed = 0;
  std::vector<Failure> failures;
};

// Errors: the script cannot be read.
Result<Tally> RunScript(std::string_view text);

}  // namespace tidemark::query::conformance
