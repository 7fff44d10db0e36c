#include "storage/base/text/params.h"

#include <gtest/gtest.h>

#include <string>

#include "query/api/values.h"

namespace tidemark::query::api {
namespace {

TEST(ParseForm, ReadsPairsInOrder) {
  text::Params params;
  ASSERT_TRUE(text::ParseForm("a=1&b=x+y&a=%32&empty=&bare&&c=%C3%A9%3D%26", &params).ok());
  EXPECT_EQ(params.Get("a"), "1");
  EXPECT_EQ(params.All("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(params.Get("b"), "x y");
  EXPECT_EQ(params.Get("c"), "\xC3\xA9=&");
  EXPECT_TRUE(params.Has("bare"));
  EXPECT_FALSE(params.Has("nothing"));
  EXPECT_EQ(params.Get("empty"), "");
}

TEST(ParseForm, RefusesBadEscapes) {
  for (const char* text : {"a=%", "a=%2", "a=%zz", "%g0=1", "a=1&b=%-1"}) {
    text::Params params;
    const Status parsed = text::ParseForm(text, &params);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_TRUE(parsed.error().message.starts_with("invalid URL escape")) << parsed.error().message;
  }
}

TEST(ParseForm, RefusesTooManyPairs) {
  std::string text;
  for (size_t i = 0; i <= text::kMaxPairs; ++i) text += "a&";
  text::Params params;
  EXPECT_EQ(text::ParseForm(text, &params).error().code, ErrorCode::kLimitExceeded);
}

TEST(PercentDecode, KeepsPlusInPaths) {
  EXPECT_EQ(*text::PercentDecode("a+b%2Fc", false), "a+b/c");
  EXPECT_EQ(*text::PercentDecode("a+b%2fc", true), "a b/c");
}

TEST(ParseTimeMs, ReadsFloatsAndRfc3339) {
  EXPECT_EQ(*ParseTimeMs("0"), 0);
  EXPECT_EQ(*ParseTimeMs("1700000000.5"), 1'700'000'000'500);
  EXPECT_EQ(*ParseTimeMs("-1.25"), -1250);
  EXPECT_EQ(*ParseTimeMs("1.7e9"), 1'700'000'000'000);
  EXPECT_EQ(*ParseTimeMs("2023-11-14T22:13:20Z"), 1'700'000'000'000);
  EXPECT_EQ(*ParseTimeMs("2023-11-14T22:13:20.1234Z"), 1'700'000'000'123);
  EXPECT_EQ(*ParseTimeMs("2023-11-15T00:13:20+02:00"), 1'700'000'000'000);
  EXPECT_EQ(*ParseTimeMs("1969-12-31T23:59:59.5Z"), -500);
}

// What Prometheus' Go client makes of its MinTime and MaxTime and of Go's zero time, and the ends themselves.
TEST(ParseTimeMs, ReadsTheTimesThatStandForEver) {
  EXPECT_EQ(*ParseTimeMs("-62135596800"), -62'135'596'800'000);
  EXPECT_EQ(*ParseTimeMs("9223309901257974"), 9'223'309'901'257'974'000);
  EXPECT_EQ(*ParseTimeMs("-9223309901257974"), kMinTimeMs);
  EXPECT_EQ(*ParseTimeMs("9.223309901257974e15"), 9'223'309'901'257'974'000);
  EXPECT_EQ(*ParseTimeMs("292277025-08-18T07:12:54.999999999Z"), kMaxTimeMs);
  EXPECT_EQ(*ParseTimeMs("-292273086-05-16T16:47:06Z"), kMinTimeMs);
  // The ends of 64 bits in milliseconds, as others divide them by 1,000.
  for (const char* text : {"9223309901257976", "9223372036854775", "9223372036854775.807", "9223372036854776"}) {
    EXPECT_EQ(*ParseTimeMs(text), kMaxTimeMs) << text;
    EXPECT_EQ(*ParseTimeMs("-" + std::string(text)), kMinTimeMs) << text;
  }
  EXPECT_FALSE(ParseTimeMs("9223372036854778").ok());
  EXPECT_FALSE(ParseTimeMs("-9223372036854775808").ok());
  EXPECT_EQ(*ParseTimeMs("1700000000.9996"), 1'700'000'001'000);
}

TEST(ParseTimeMs, RefusesInPrometheusWords) {
  for (const char* text : {"", "x", "NaN", "Inf", "1e300", "2023-02-30T00:00:00Z", "2023-01-01", "2023-01-01T25:00:00Z",
                           "2023-01-01T00:00:00", "1700000000x"}) {
    const Result<int64_t> parsed = ParseTimeMs(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().message, "cannot parse \"" + std::string(text) + "\" to a valid timestamp");
  }
}

TEST(ParseDurationMs, ReadsFloatsAndUnits) {
  EXPECT_EQ(*ParseDurationMs("15"), 15'000);
  EXPECT_EQ(*ParseDurationMs("0.5"), 500);
  EXPECT_EQ(*ParseDurationMs("-1"), -1000);
  EXPECT_EQ(*ParseDurationMs("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("1w2d3ms"), 777'600'003);
  EXPECT_EQ(*ParseDurationMs("0"), 0);
  for (const char* text : {"", "1x", "m", "1m1h", "1h1h", "-5m", "5m ", "99999999999y"}) {
    EXPECT_FALSE(ParseDurationMs(text).ok()) << text;
  }
  EXPECT_EQ(ParseDurationMs("1e300").error().message, "cannot parse \"1e300\" to a valid duration. It overflows int64");
}

TEST(ParseLimit, IsAWholeNumber) {
  EXPECT_EQ(*ParseLimit(""), 0U);
  EXPECT_EQ(*ParseLimit("40000"), 40'000U);
  EXPECT_EQ(ParseLimit("-1").error().message, "limit must be non-negative");
  EXPECT_EQ(ParseLimit("1.5").error().message, "strconv.Atoi: parsing \"1.5\": invalid syntax");
  EXPECT_EQ(ParseLimit("99999999999999999999").error().message,
            "strconv.Atoi: parsing \"99999999999999999999\": value out of range");
}

TEST(UnescapeLabelName, FollowsTheEscaping) {
  EXPECT_EQ(UnescapeLabelName("job"), "job");
  EXPECT_EQ(UnescapeLabelName("U__foo_2e_bar"), "foo.bar");
  EXPECT_EQ(UnescapeLabelName("U__foo__bar"), "foo_bar");
  EXPECT_EQ(UnescapeLabelName("U___e9_t_e9_"), "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(UnescapeLabelName("U___1f600_"), "\xF0\x9F\x98\x80");
  for (const char* bad : {"U___", "U___2e", "U___zz_", "U___110000_", "U___d800_", "U___1234567_"}) {
    EXPECT_EQ(UnescapeLabelName(bad), bad);
  }
}

TEST(Quoted, EscapesAsGoDoes) { EXPECT_EQ(Quoted("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\x01")"); }

}  // namespace
}  // namespace tidemark::query::api
