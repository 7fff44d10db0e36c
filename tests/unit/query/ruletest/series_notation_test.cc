#include "query/ruletest/series_notation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "query/frame/go_format.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::ruletest {
namespace {

std::string Values(std::string_view text) {
  const auto values = ParseValues(text);
  if (!values.ok()) return "error: " + values.error().message;
  std::string out;
  for (const auto& value : *values) {
    if (!out.empty()) out += ' ';
    out += !value ? "_" : model::IsStaleMarker(*value) ? "stale" : frame::GoFormat(*value);
  }
  return out;
}

std::string Metric(std::string_view text) {
  const auto labels = ParseMetric(text);
  return labels.ok() ? model::ToString(*labels) : "error: " + labels.error().message;
}

TEST(SeriesNotation, ExpandsValues) {
  EXPECT_EQ(Values(""), "");
  EXPECT_EQ(Values("1  2\t3\n"), "1 2 3");
  EXPECT_EQ(Values("_ _x3 5"), "_ _ _ _ 5");
  EXPECT_EQ(Values("5x2 7x0"), "5 5 5 7");
  EXPECT_EQ(Values("1+2x3 1-2x3 -1-1x1"), "1 3 5 7 1 -1 -3 -5 -1 -2");
  EXPECT_EQ(Values("+3 .5 5. 1e3 1.5e-3x1"), "3 0.5 5 1000 0.0015 0.0015");
  EXPECT_EQ(Values("Inf -inf nan"), "+Inf -Inf NaN");
  EXPECT_EQ(Values("1 stale 2"), "1 stale 2");
  EXPECT_EQ(Values("0x3"), "0 0 0 0") << "never hexadecimal";
}

TEST(SeriesNotation, SaysWhereValuesAreWrong) {
  EXPECT_EQ(Values("1 +"), "error: column 4: a number was expected");
  EXPECT_EQ(Values("1 2x"), "error: column 5: a whole number was expected behind \"x\"");
  EXPECT_EQ(Values("1+1"), "error: column 4: \"x\" and a count were expected");
  EXPECT_EQ(Values("5y"), "error: column 2: a number ends here");
  EXPECT_EQ(Values("1x1.5"), "error: column 4: a space was expected between values");
  EXPECT_EQ(Values("one"), "error: column 1: a number was expected");
  EXPECT_EQ(Values("stalex2"), "error: column 1: a number was expected") << "promtool reads one word too";
  EXPECT_EQ(Values("1x99999999999"), "error: column 14: a series has at most 50000000 values");
  EXPECT_EQ(Values("1x18446744073709551615"), "error: column 23: the count is out of range");
}

TEST(SeriesNotation, ReadsMetrics) {
  EXPECT_EQ(Metric(R"(up{job="a",instance='h'})"), R"(up{instance="h", job="a"})");
  EXPECT_EQ(Metric("job:up:sum"), "job:up:sum");
  EXPECT_EQ(Metric(R"({__name__="up",})"), "up");
  EXPECT_EQ(Metric(R"(up{x=""})"), "up");
  EXPECT_EQ(Metric(""), "{}");
  EXPECT_EQ(Metric(R"(up{job!="a"})").substr(0, 16), "error: column 7:");
  EXPECT_EQ(Metric("up{").substr(0, 16), "error: column 4:");
  EXPECT_EQ(Metric("up 5").substr(0, 16), "error: column 4:");
}

}  // namespace
}  // namespace tidemark::query::ruletest
