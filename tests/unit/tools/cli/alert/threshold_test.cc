#include "tools/cli/alert/threshold.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include "query/rules/rule_file.h"

namespace tidemark::cli {
namespace {

const std::vector<std::string> kMetrics = {"call_routing_latency_ms",
                                           "api_response_seconds_bucket",
                                           "api_response_seconds_count",
                                           "bids",
                                           "queue_bytes",
                                           "share_ratio",
                                           "slow_seconds",
                                           "two_ms",
                                           "two_seconds"};

Result<std::vector<std::string>> Find(const std::string& pattern, const std::string&) {
  std::vector<std::string> found;
  for (const std::string& metric : kMetrics) {
    if (RE2::FullMatch(metric, pattern)) found.push_back(metric);
  }
  return found;
}

// EXPR, and behind it what is not as usual.
std::string Read(std::string_view text) {
  const auto read = ParseThreshold(text, "calls", &Find);
  if (!read.ok()) return "error: " + read.error().message;
  // What it is made into is a rule.
  const std::string group = GroupOf(*read, "warning", std::string(text));
  const auto parsed = query::rules::ParseRuleGroup(group, "ns");
  EXPECT_TRUE(parsed.ok()) << parsed.error().message << "\n" << group;
  std::string out = read->expr;
  if (read->for_ms > 0) out += " FOR " + std::to_string(read->for_ms);
  if (!read->recover.empty()) out += " RECOVER " + read->recover;
  if (!read->flapping.empty()) out += " FLAPPING " + read->flapping;
  if (read->database != "calls") out += " IN " + read->database;
  return out;
}

TEST(Threshold, AreMadeIntoTheUnitsOfTheMetric) {
  EXPECT_EQ(Read("call_routing_latency > 1ms for 30s"), "call_routing_latency_ms > 1 FOR 30000");
  EXPECT_EQ(Read("call_routing_latency_ms >= 0.5s"), "call_routing_latency_ms >= 500");
  EXPECT_EQ(Read("slow > 50ms"), "slow_seconds > 0.05");
  EXPECT_EQ(Read("bids < 80K/sec for 1m"), "bids < 80000 FOR 60000");
  EXPECT_EQ(Read("queue > 100MB"), "queue_bytes > 1e+08");
  EXPECT_EQ(Read("queue > 1GiB"), "queue_bytes > 1.073741824e+09");
  EXPECT_EQ(Read("share > 90%"), "share_ratio > 0.9");
  EXPECT_EQ(Read("bids > 5"), "bids > 5");
}

TEST(Threshold, QuantilesComeFromBucketsOrValues) {
  EXPECT_EQ(Read("p99(api_response) > 50ms for 2m"),
            "histogram_quantile(0.99, sum by (le) (rate(api_response_seconds_bucket[5m]))) > 0.05 FOR 120000");
  EXPECT_EQ(Read("p99.9(slow) > 1s"), "quantile_over_time(0.999, slow_seconds[5m]) > 1");
}

TEST(Threshold, TheMachineHasWordsOfItsOwn) {
  EXPECT_EQ(Read("memory > 90% or swap > 100MB"), "mem_used_percent > 90 or swap_used > 1e+08 IN _host");
  EXPECT_EQ(Read("cpu > 85% for 5m"), "cpu_usage_active{cpu=\"cpu-total\"} > 85 FOR 300000 IN _host");
}

TEST(Threshold, AnyPromqlMayBeCompared) {
  EXPECT_EQ(Read("sum(rate(bids[5m])) by (job) > 3 and bids > 1 for 1h"),
            "sum(rate(bids[5m])) by (job) > 3 and bids > 1 FOR 3600000");
  EXPECT_EQ(Read("sum by (a) (bids{x=\"a > b for c or d\"}) > 3"), "sum by (a) (bids{x=\"a > b for c or d\"}) > 3");
}

TEST(Threshold, MayRecoverElsewhereAndBeDamped) {
  EXPECT_EQ(Read("memory > 90% recover < 80%"), "mem_used_percent > 90 RECOVER mem_used_percent < 80 IN _host");
  EXPECT_EQ(Read("slow > 50ms for 2m recover < 20ms"), "slow_seconds > 0.05 FOR 120000 RECOVER slow_seconds < 0.02");
  EXPECT_EQ(Read("slow > 50ms recover <= 20ms flapping 4 in 10m for 2m"),
            "slow_seconds > 0.05 FOR 120000 RECOVER slow_seconds <= 0.02 FLAPPING 4 in 10m");
  EXPECT_EQ(Read("p99(slow) > 1s recover p50(slow) < 1s"),
            "quantile_over_time(0.99, slow_seconds[5m]) > 1 RECOVER quantile_over_time(0.5, slow_seconds[5m]) < 1");
  EXPECT_EQ(Read("bids > 5 or slow > 1s flapping 3 in 1h"), "bids > 5 or slow_seconds > 1 FLAPPING 3 in 1h");
  EXPECT_EQ(Read("bids > 5 or slow > 1s recover < 1s"),
            "error: `recover` stands behind one condition: of several, write the key recover into the rule");
  EXPECT_EQ(Read("bids > 5 recover soon"), "error: \"soon\" compares nothing: write for instance latency > 5ms");
  EXPECT_EQ(Read("bids > 5 flapping often").substr(0, 34), "error: flapping is a number of cha");
}

TEST(Threshold, TellsWhatIsCompared) {
  const auto read = ParseThreshold("p99(slow) > 1s or bids < 5 for 1m", "calls", &Find);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->compared, (std::vector<std::string>{"quantile_over_time(0.99, slow_seconds[5m])", "bids"}));
}

TEST(Threshold, AnyNameMakesAGroup) {
  auto read = ParseThreshold("bids > 5", "calls", &Find);
  ASSERT_TRUE(read.ok()) << read.error().message;
  for (const char* name : {"a: b", "{x", "# no", "5", "null", "\"quoted\""}) {
    read->name = name;
    const auto parsed = query::rules::ParseRuleGroup(GroupOf(*read, "warning", "bids > 5"), "ns");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->name, name);
    EXPECT_EQ(parsed->rules[0].name, name);
  }
}

TEST(Threshold, SaysWhatIsNotUnderstood) {
  EXPECT_EQ(Read("bids"), "error: \"bids\" compares nothing: write for instance latency > 5ms");
  EXPECT_EQ(Read("bids > 5 for ever"), "error: \"ever\" behind `for` is no duration such as 30s or 2m");
  EXPECT_TRUE(Read("bids > 5 furlongs").starts_with("error: \"5 furlongs\" is no number with a unit"));
  EXPECT_EQ(Read("none > 5"), "error: there is no metric none in the database calls: --db names another");
  EXPECT_EQ(Read("two > 5ms"), "error: two may be two_ms or two_seconds: write the whole name");
}

}  // namespace
}  // namespace tidemark::cli
