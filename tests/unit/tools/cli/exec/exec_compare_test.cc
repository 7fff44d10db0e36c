#include "tools/cli/exec/exec_compare.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidemark::cli {
namespace {

executor::RunTotals RunOf(double seconds, executor::Outcome outcome = executor::Outcome::kSucceeded) {
  executor::RunTotals totals;
  totals.duration_ns = static_cast<int64_t>(seconds * 1e9);
  totals.cpu_ns = static_cast<int64_t>(seconds * 2e9);
  totals.outcome = outcome;
  return totals;
}

TEST(ParseVariation, NameAndValues) {
  const auto parsed = ParseVariation("CACHE=on,off");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->name, "CACHE");
  EXPECT_EQ(parsed->values, (std::vector<std::string>{"on", "off"}));
}

TEST(ParseVariation, ValuesMayHoldEqualSignsAndAreTakenOnce) {
  const auto parsed = ParseVariation("FLAGS=-O1 -DX=1,-O2,-O1 -DX=1");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->values, (std::vector<std::string>{"-O1 -DX=1", "-O2"}));
}

TEST(ParseVariation, WhatIsRefused) {
  for (const char* const text :
       {"", "CACHE", "CACHE=", "CACHE=on", "CACHE=on,on", "=on,off", "CACHE=on,", "CACHE=,off"}) {
    const auto parsed = ParseVariation(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find("NAME=VALUE,VALUE"), std::string::npos);
  }
}

TEST(Comparison, MediansOfOddAndEvenNumbersOfRuns) {
  Comparison comparison{.name = "x", .cores = 1, .runs = {RunOf(3), RunOf(1), RunOf(2)}};
  EXPECT_DOUBLE_EQ(comparison.MedianSeconds(), 2);
  EXPECT_DOUBLE_EQ(comparison.MedianCpuSeconds(), 4);
  comparison.runs.push_back(RunOf(10));
  EXPECT_DOUBLE_EQ(comparison.MedianSeconds(), 2.5);
  comparison.runs.clear();
  EXPECT_TRUE(std::isnan(comparison.MedianSeconds()));
}

TEST(ComparisonTable, SpeedupAndEfficiencyAgainstTheFirstRow) {
  const std::vector<Comparison> rows{
      {.name = "sequential", .cores = 1, .runs = {RunOf(8)}},
      {.name = "2 agents", .cores = 2, .runs = {RunOf(5), RunOf(4), RunOf(40, executor::Outcome::kFailed)}}};
  EXPECT_EQ(ComparisonTable(rows, true),
            "way            seconds   speedup    change       CPU s  failed  efficiency\n"
            "sequential       8.000     1.00x     +0.0%       16.00       0      100.0%\n"
            "2 agents         5.000     1.60x    -37.5%       10.00       1       80.0%\n");
}

TEST(ComparisonTable, WithoutAnIdealThereIsNoEfficiency) {
  const std::vector<Comparison> rows{{.name = "CACHE=on", .cores = 2, .runs = {RunOf(2)}},
                                     {.name = "CACHE=off", .cores = 2, .runs = {RunOf(3)}}};
  EXPECT_EQ(ComparisonTable(rows, false),
            "way           seconds   speedup    change       CPU s  failed\n"
            "CACHE=on        2.000     1.00x     +0.0%        4.00       0\n"
            "CACHE=off       3.000     0.67x    +50.0%        6.00       0\n");
}

}  // namespace
}  // namespace tidemark::cli
