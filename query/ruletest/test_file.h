// Rule unit-test files, in the format of `promtool test rules`.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/labels.h"

namespace tidemark::query::ruletest {

struct InputSeries {
  std::string series;  // as series_notation.h reads them
  std::string values;
};

// Sorted by name.
struct ExpectedAlert {
  model::Labels labels;  // without alertname
  model::Labels annotations;
};

struct AlertTest {
  int64_t eval_time_ms = 0;
  std::string alertname;
  std::vector<ExpectedAlert> alerts;  // all that fire, and no others
};

struct ExpectedSample {
  std::string labels;
  double value = 0;
};

struct ExprTest {
  std::string expr;
  int64_t eval_time_ms = 0;
  std::vector<ExpectedSample> samples;
};

struct TestGroup {
  std::string name;
  int64_t interval_ms = 0;  // between the values of input series
  std::vector<InputSeries> input_series;
  std::vector<AlertTest> alert_tests;
  std::vector<ExprTest> expr_tests;
  model::Labels external_labels;
  std::string external_url;
};

struct TestFile {
  std::string file;
  std::vector<std::string> rule_files;  // as written; may be patterns
  int64_t evaluation_interval_ms = 60'000;
  std::vector<std::string> group_eval_order;
  std::vector<TestGroup> tests;
};

// kInvalidArgument: `FILE:LINE:COLUMN: reason`, a line for each fault: wrong YAML, unknown keys, bad durations and
// numbers, a group that is twice in the order.
Result<TestFile> ParseTestFile(std::string_view text, const std::string& file);

// The same, read from disk. Also kNotFound, kIo, kLimitExceeded.
Result<TestFile> LoadTestFile(const std::string& path);

}  // namespace tidemark::query::ruletest
