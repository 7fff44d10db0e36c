// promql_scripts FILE...: runs scripts and prints a tally for each; with -v every failure.
#include <fmt/core.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/conformance/promql/runner.h"

int main(int argc, char** argv) {
  bool verbose = false;
  bool failed = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "-v") == 0) {
      verbose = true;
      continue;
    }
    std::ifstream file(argv[i]);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto tally = tidemark::query::conformance::RunScript(text);
    if (!tally.ok()) {
      fmt::print("{}: {}\n", argv[i], tally.error().message);
      failed = true;
      continue;
    }
    fmt::print("{}: float {}/{} native {}/{}\n", argv[i], tally->float_passed, tally->float_cases, tally->native_passed,
               tally->native_cases);
    failed = failed || tally->float_passed != tally->float_cases;
    if (!verbose) continue;
    for (const auto& failure : tally->failures) {
      fmt::print("  {} line {}: {}\n      {}\n", failure.native ? "native" : "FLOAT", failure.line, failure.query,
                 failure.reason);
    }
  }
  return failed ? 1 : 0;
}
