// Runs the tests of a file over the rules that it names, each with samples of its own and a clock that begins at 1970.
//
//   TM_TRY_ASSIGN(TestFile file, LoadTestFile("tests.yml"));
//   Verdict verdict = RunTests(file, {.store = &scratch, .database = "first"});
//
// The verdict is that of `promtool test rules` (README.md).
#pragma once

#include <string>
#include <vector>

#include "query/promql/parser.h"
#include "query/ruletest/test_file.h"
#include "storage/storage.h"

namespace tidemark::query::ruletest {

struct RunOptions {
  storage::Store* store = nullptr;  // outlives the call; its databases of these names are new
  std::string database;             // what the names of its databases begin with
  promql::ParseOptions parse = {};
};

struct Verdict {
  std::vector<std::string> failures;  // in words for people, several lines each; empty: all is as it should be
  std::vector<std::string> warnings;  // patterns that no rule file has
};

Verdict RunTests(const TestFile& file, const RunOptions& options);

}  // namespace tidemark::query::ruletest
