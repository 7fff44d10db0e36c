#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "storage/base/text/duration.h"

namespace tidemark::text {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

int64_t Ns(std::string_view text, const DurationDialect& dialect) { return ParseDuration(text, dialect).value_or(-1); }

DurationFault FaultOf(std::string_view text) {
  const auto ns = ParseDuration(text, kPrometheusDuration);
  EXPECT_FALSE(ns) << text;
  return ns ? DurationFault{} : ns.error().fault;
}

TEST(TextDuration, EveryDialectHasItsUnits) {
  EXPECT_EQ(Ns("1y2w3d4h5m6s7ms", kPrometheusDuration),
            ((365 + 14 + 3) * 86'400 + 4 * 3600 + 5 * 60 + 6) * kSecond + 7'000'000);
  EXPECT_EQ(Ns("1w2d3h4m5s6ms7u8µ9ns", kInfluxDuration),
            (9 * 86'400 + 3 * 3600 + 4 * 60 + 5) * kSecond + 6'000'000 + 15'000 + 9);
  for (const char* const other : {"1u", "1µ", "1ns", "1us", "1M"})
    EXPECT_EQ(Ns(other, kPrometheusDuration), -1) << other;
  for (const char* const other : {"1y", "1us", "1µs", "1n"}) EXPECT_EQ(Ns(other, kInfluxDuration), -1) << other;
  for (const char* const other : {"1d", "1us", "1y"})
    EXPECT_FALSE(ParseFractionalDuration(other, kPipelineDuration, 1)) << other;
  for (const char* const other : {"1us", "1ns"})
    EXPECT_FALSE(ParseFractionalDuration(other, kTypedDuration, 1)) << other;
}

TEST(TextDuration, OrderIsOfPrometheusAlone) {
  EXPECT_EQ(FaultOf("5m1h"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf("1h1h"), DurationFault::kSyntax);
  EXPECT_EQ(Ns("5m1h", kInfluxDuration), 3900 * kSecond);
  EXPECT_EQ(Ns("1h1h", kInfluxDuration), 7200 * kSecond);
  EXPECT_EQ(ParseFractionalDuration("5m1h1h", kTypedDuration, kSecond), 7500.0);
}

TEST(TextDuration, FaultsSayWhatIsWrong) {
  EXPECT_EQ(FaultOf(""), DurationFault::kEmpty);
  EXPECT_EQ(FaultOf("h"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf("-5m"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf("+5m"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf(" 5m"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf("18446744073709551616ms"), DurationFault::kSyntax);
  EXPECT_EQ(FaultOf("5"), DurationFault::kNoUnit);
  EXPECT_EQ(FaultOf("00"), DurationFault::kNoUnit);
  EXPECT_EQ(FaultOf("1h30"), DurationFault::kNoUnit);
  EXPECT_EQ(FaultOf("1.5h"), DurationFault::kUnknownUnit);
  const auto unknown = ParseDuration("1h7hx3m", kPrometheusDuration);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().fault, DurationFault::kUnknownUnit);
  EXPECT_EQ(unknown.error().unit, "hx");
}

TEST(TextDuration, ZeroNeedsNoUnitInPrometheus) {
  EXPECT_EQ(Ns("0", kPrometheusDuration), 0);
  EXPECT_EQ(Ns("0s", kPrometheusDuration), 0);
  EXPECT_EQ(Ns("0", kInfluxDuration), -1);
  EXPECT_EQ(Ns("0ns", kInfluxDuration), 0);
}

TEST(TextDuration, TheLastThatFitsAndTheFirstThatDoesNot) {
  EXPECT_EQ(Ns("9223372036854775807ns", kInfluxDuration), kMax);
  EXPECT_EQ(Ns("9223372036854775808ns", kInfluxDuration), -1);
  EXPECT_EQ(Ns("9223372036854775807ns1ns", kInfluxDuration), -1);
  EXPECT_EQ(Ns("9223372036854775807ns9223372036854775807ns9223372036854775807ns", kInfluxDuration), -1);
  EXPECT_EQ(Ns("9223372036854ms", kPrometheusDuration), 9'223'372'036'854'000'000);
  EXPECT_EQ(FaultOf("9223372036855ms"), DurationFault::kRange);
  EXPECT_EQ(FaultOf("18446744073709551615ms"), DurationFault::kRange);
  EXPECT_EQ(FaultOf("293y"), DurationFault::kRange);
  EXPECT_EQ(FaultOf("292y52w"), DurationFault::kRange);
  EXPECT_EQ(Ns("292y", kPrometheusDuration), int64_t{292} * 365 * 86'400 * kSecond);
}

TEST(TextDuration, Fractions) {
  EXPECT_EQ(ParseFractionalDuration("1.5h", kPipelineDuration, 1), 5.4e12);
  EXPECT_EQ(ParseFractionalDuration("90", kPipelineDuration, 1), 90e9);
  EXPECT_EQ(ParseFractionalDuration(".5s", kPipelineDuration, 1), 5e8);
  EXPECT_EQ(ParseFractionalDuration("1h.5m2", kTypedDuration, kSecond), std::nullopt);
  EXPECT_EQ(ParseFractionalDuration("1h.5m", kTypedDuration, kSecond), 3630.0);
  EXPECT_EQ(ParseFractionalDuration("2.5", kTypedDuration, kSecond), 2.5);
  EXPECT_EQ(ParseFractionalDuration("1e3s", kTypedDuration, kSecond), 1000.0);
  EXPECT_EQ(ParseFractionalDuration("1y1w1d", kTypedDuration, kSecond), 373.0 * 86'400);
  for (const char* const bad : {"1h30m", "1e3s", "1h ", "", "s", "-1s", "nan"}) {
    EXPECT_FALSE(ParseFractionalDuration(bad, kPipelineDuration, 1)) << bad;
  }
  for (const char* const bad : {"", "s", "-1s", "1h5", "5x", "nan", "1h-5m"}) {
    EXPECT_FALSE(ParseFractionalDuration(bad, kTypedDuration, 1)) << bad;
  }
}

TEST(TextDuration, Milliseconds) {
  EXPECT_EQ(ParseDurationMs("1h30m").value_or(-1), 5'400'000);
  EXPECT_FALSE(ParseDurationMs("1.5h"));
}

TEST(TextDuration, Printed) {
  const auto prometheus = [](int64_t ms) { return PrintDuration(ms, DurationStyle::kPrometheus); };
  EXPECT_EQ(prometheus(0), "0s");
  EXPECT_EQ(prometheus(5'400'000), "1h30m");
  EXPECT_EQ(prometheus(-300'000), "-5m");
  EXPECT_EQ(prometheus(int64_t{90} * 86'400'000), "90d");
  EXPECT_EQ(prometheus(int64_t{14} * 86'400'000), "2w");
  EXPECT_EQ(prometheus(int64_t{365} * 86'400'000 + 1), "365d1ms");
  EXPECT_EQ(prometheus(std::numeric_limits<int64_t>::min()), "-106751991167d7h12m55s808ms");
  const auto one = [](int64_t ms) { return PrintDuration(ms, DurationStyle::kOneUnit); };
  EXPECT_EQ(one(0), "0");
  EXPECT_EQ(one(5'400'000), "90m");
  EXPECT_EQ(one(int64_t{14} * 86'400'000), "14d");
  EXPECT_EQ(one(1001), "1001ms");
  EXPECT_EQ(one(-60'000), "-1m");
  const auto go = [](int64_t ms) { return PrintDuration(ms, DurationStyle::kGo); };
  EXPECT_EQ(go(0), "0s");
  EXPECT_EQ(go(999), "0s");
  EXPECT_EQ(go(59'999), "59s");
  EXPECT_EQ(go(60'000), "1m0s");
  EXPECT_EQ(go(int64_t{720} * 3'600'000), "720h0m0s");
}

TEST(TextDuration, WhatIsPrintedIsRead) {
  for (const int64_t ms : std::vector<int64_t>{0, 1, 999, 1000, 61'001, 3'600'000, 86'399'999, 604'800'000,
                                               31'536'000'000, 31'536'000'001, 9'223'372'036'854}) {
    for (const DurationStyle style : {DurationStyle::kPrometheus, DurationStyle::kOneUnit}) {
      EXPECT_EQ(ParseDurationMs(PrintDuration(ms, style)).value_or(-1), ms) << PrintDuration(ms, style);
    }
  }
}

}  // namespace
}  // namespace tidemark::text
