#include "query/ruletest/test_run.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/temp_directory.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::query::ruletest {
namespace {

constexpr const char* kRules = R"(groups:
  - name: g
    rules:
      - alert: Down
        expr: up == 0
        for: 1m
        annotations: {summary: "{{ $labels.job }} of {{ $externalLabels.dc }} at {{ externalURL }}{{ pathPrefix }}"}
)";

class TestRun : public ::testing::Test {
 protected:
  Verdict Run(const std::string& tests) {
    std::ofstream(directory_.path() + "/rules.yml") << kRules;
    const auto file = ParseTestFile("rule_files: [rules.yml]\n" + tests, directory_.path() + "/tests.yml");
    if (!file.ok()) return {.failures = {file.error().message}, .warnings = {}};
    return RunTests(*file, {.store = &store_, .database = "t" + std::to_string(number_++)});
  }

  TempDirectory directory_;
  MemoryStore store_;
  int number_ = 0;
};

TEST_F(TestRun, AlertsAreThoseThatFire) {
  const std::string test = R"(tests:
  - name: one
    interval: 1m
    external_labels: {dc: eu}
    external_url: http://x/p
    input_series: [{series: 'up{job="a"}', values: "1 0 0 1"}]
    alert_rule_test:
      - {alertname: Down, eval_time: 1m}
      - alertname: Down
        eval_time: 2m59s
        exp_alerts: [{exp_labels: {job: a}, exp_annotations: {summary: "a of eu at http://x/p/p"}}]
      - {alertname: Down, eval_time: 3m}
)";
  EXPECT_TRUE(Run(test).failures.empty()) << Run(test).failures.front();
  std::string other = test;
  other.replace(other.find("of eu"), 5, "of us");
  const Verdict verdict = Run(other);
  ASSERT_EQ(verdict.failures.size(), 1U);
  EXPECT_EQ(verdict.failures[0], R"(    name: one,
    alertname: Down, time: 2m59s,
        exp: 
            Labels:{alertname="Down", job="a"} Annotations:{summary="a of us at http://x/p/p"}
        got: 
            Labels:{alertname="Down", job="a"} Annotations:{summary="a of eu at http://x/p/p"})");
}

TEST_F(TestRun, ExpressionsAreCompared) {
  const Verdict verdict = Run(R"(tests:
  - interval: 1m
    input_series: [{series: 'up{job="a"}', values: "1 2"}]
    promql_expr_test:
      - {expr: up, eval_time: 1m, exp_samples: [{labels: 'up{job="a"}', value: 2}]}
      - {expr: up, eval_time: 0s, exp_samples: [{labels: 'up{job="a"}', value: 2}]}
      - {expr: "up[", eval_time: 0s}
)");
  ASSERT_EQ(verdict.failures.size(), 2U);
  EXPECT_EQ(verdict.failures[0],
            "    expr: \"up\", time: 0s,\n        exp: up{job=\"a\"} 2\n        got: up{job=\"a\"} 1");
  EXPECT_TRUE(verdict.failures[1].starts_with("    expr: \"up[\", time: 0s, err: 1:")) << verdict.failures[1];
}

TEST_F(TestRun, FaultsHaveAPlace) {
  EXPECT_EQ(Run("evaluate: 1m").failures[0].find(directory_.path() + "/tests.yml:2:1: "), 0U);
  EXPECT_EQ(Run("evaluation_interval: 5").failures[0],
            directory_.path() + "/tests.yml:2:22: evaluation_interval: not a valid duration string: \"5\"");
  EXPECT_EQ(Run("tests: [{interval: 1m, input_series: [{series: up, values: 1x}]}]").failures[0],
            "values \"1x\": column 3: a whole number was expected behind \"x\"");
}

}  // namespace
}  // namespace tidemark::query::ruletest
