#include "query/promql/numbers.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace tidemark::query::promql {
namespace {

double MustParse(std::string_view text) {
  const auto value = ParseNumber(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.value_or(-12345);
}

std::string NumberRefusal(std::string_view text) {
  const auto value = ParseNumber(text);
  return value.ok() ? "accepted" : value.error().message;
}

int64_t MustParseNs(std::string_view text) {
  const auto value = ParseDurationNs(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.error().message;
  return value.value_or(-12345);
}

std::string DurationRefusal(std::string_view text) {
  const auto value = ParseDurationNs(text);
  return value.ok() ? "accepted" : value.error().message;
}

TEST(Numbers, AllNotations) {
  EXPECT_EQ(MustParse("0"), 0);
  EXPECT_EQ(MustParse("007"), 7);
  EXPECT_EQ(MustParse("0755"), 493);
  EXPECT_EQ(MustParse("0789"), 789);  // no octal number, so a decimal one
  EXPECT_EQ(MustParse("0x10"), 16);
  EXPECT_EQ(MustParse("0XaB"), 171);
  EXPECT_EQ(MustParse("1_000.5"), 1000.5);
  EXPECT_EQ(MustParse(".5e1"), 5);
  EXPECT_EQ(MustParse("5."), 5);
  EXPECT_EQ(MustParse("9223372036854775807"), 9223372036854775807.0);
  EXPECT_EQ(MustParse("9223372036854775808"), 9223372036854775808.0);
  EXPECT_TRUE(std::isinf(MustParse("INF")));
  EXPECT_TRUE(std::isnan(MustParse("nAn")));
}

TEST(Numbers, TooLargeIsAnErrorAndTooSmallIsZero) {
  EXPECT_EQ(NumberRefusal("1e309"), R"(error parsing number: strconv.ParseFloat: parsing "1e309": value out of range)");
  EXPECT_NE(NumberRefusal(std::string(400, '9')).find("value out of range"), std::string::npos);
  EXPECT_EQ(MustParse("1e-999"), 0);
  EXPECT_EQ(MustParse("0." + std::string(400, '0') + "1"), 0);
  EXPECT_NE(NumberRefusal("0xFFFFFFFFFFFFFFFFF").find("invalid syntax"), std::string::npos);
}

TEST(Numbers, UnderscoresStandBetweenDigits) {
  for (const std::string_view text : {"_1", "1_", "1__0", "1_.5", "1._5", "1e_5"}) {
    EXPECT_NE(NumberRefusal(text).find("invalid syntax"), std::string::npos) << text;
  }
  EXPECT_EQ(MustParse("0x_F_F"), 255);
}

TEST(Numbers, PrintedOnesReadBack) {
  std::random_device device;
  const auto seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::abs(std::bit_cast<double>(random()));
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(MustParse(NumberToString(value)), value);
  }
  EXPECT_EQ(NumberToString(0.1), "0.1");
  EXPECT_EQ(NumberToString(100), "100");
  EXPECT_EQ(NumberToString(123.456), "123.456");
  EXPECT_EQ(NumberToString(-0.0), "-0");
  EXPECT_EQ(NumberToString(1e21), "1000000000000000000000");
  EXPECT_EQ(NumberToString(2.5e-7), "0.00000025");
  EXPECT_EQ(NumberToString(-std::numeric_limits<double>::infinity()), "-Inf");
}

TEST(DurationText, UnitsInOrder) {
  EXPECT_EQ(MustParseNs("1ms"), 1'000'000);
  EXPECT_EQ(MustParseNs("1s"), 1'000'000'000);
  EXPECT_EQ(MustParseNs("1h30m"), 5'400'000'000'000);
  EXPECT_EQ(MustParseNs("1y"), 31'536'000'000'000'000);
  EXPECT_EQ(MustParseNs("1w1d"), 691'200'000'000'000);
  EXPECT_EQ(MustParseNs("0"), 0);
  EXPECT_EQ(DurationRefusal("1m1h"), R"(not a valid duration string: "1m1h")");
  EXPECT_EQ(DurationRefusal("1m1m"), R"(not a valid duration string: "1m1m")");
  EXPECT_EQ(DurationRefusal("5"), R"(missing unit character in duration "5")");
  EXPECT_EQ(DurationRefusal("5hs"), R"(unknown unit "hs" in duration "5hs")");
  EXPECT_EQ(DurationRefusal(""), "empty duration string");
}

TEST(DurationText, EndsAtTwoToThe63Nanoseconds) {
  EXPECT_EQ(MustParseNs("292y"), 9'208'512'000'000'000'000);
  EXPECT_EQ(DurationRefusal("293y"), "duration out of range");
  EXPECT_EQ(DurationRefusal("292y364d"), "duration out of range");
  EXPECT_EQ(DurationRefusal("99999999999999999999s"), R"(not a valid duration string: "99999999999999999999s")");
}

TEST(DurationText, Printed) {
  EXPECT_EQ(DurationToString(0), "0s");
  EXPECT_EQ(DurationToString(1), "1ms");
  EXPECT_EQ(DurationToString(61'001), "1m1s1ms");
  EXPECT_EQ(DurationToString(604'800'000), "1w");
  EXPECT_EQ(DurationToString(691'200'000), "8d");
  EXPECT_EQ(DurationToString(31'536'000'000), "1y");
  EXPECT_EQ(DurationToString(-300'000), "-5m");
  EXPECT_EQ(DurationToString(std::numeric_limits<int64_t>::min()).front(), '-');
}

}  // namespace
}  // namespace tidemark::query::promql
