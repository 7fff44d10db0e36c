#include "tools/cli/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace tidemark::cli {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

TEST(TimeText, TimesInEveryForm) {
  const std::pair<const char*, int64_t> cases[] = {{"1451606400", 1'451'606'400'000},
                                                   {"1451606400.5", 1'451'606'400'500},
                                                   {"-5.5", -5'500},
                                                   {"2016-01-01T00:00:00Z", 1'451'606'400'000},
                                                   {"2016-01-01T02:00:00+02:00", 1'451'606'400'000},
                                                   {"2016-01-01 00:00:00.25", 1'451'606'400'250},
                                                   {"2016-01-01", 1'451'606'400'000},
                                                   {"now", kNow},
                                                   {"-1h30m", kNow - 5'400'000},
                                                   {"now-2d", kNow - 172'800'000}};
  for (const auto& [text, ms] : cases) {
    const auto time = ParseTimeText(text, kNow);
    ASSERT_TRUE(time.ok()) << text;
    EXPECT_EQ(*time, ms) << text;
  }
  for (const char* const text :
       {"", "yesterday", "2016-13-01", "2016-02-30", "2016-01-01T25:00:00Z", "now+1h", "-", "1e99"}) {
    EXPECT_FALSE(ParseTimeText(text, kNow).ok()) << text;
  }
}

TEST(TimeText, Durations) {
  EXPECT_EQ(*ParseDurationText("15s"), 15'000);
  EXPECT_EQ(*ParseDurationText("1h30m"), 5'400'000);
  EXPECT_EQ(*ParseDurationText("500ms"), 500);
  EXPECT_EQ(*ParseDurationText("2.5"), 2'500);
  for (const char* const text : {"", "0s", "h", "5x", "-5s", "1e30h"})
    EXPECT_FALSE(ParseDurationText(text).ok()) << text;
}

TEST(TimeText, TimesAsPeopleReadThem) {
  EXPECT_EQ(TimeToText(1'451'606'400'000), "2016-01-01 00:00:00");
  EXPECT_EQ(TimeToText(-1), "1969-12-31 23:59:59.999");
}

TEST(TimeWithZone, TheZoneIsNamed) {
  EXPECT_EQ(TimeWithZone(1'451'606'400'250, TimeZone::kUtc), "2016-01-01 00:00:00.250 UTC");
  const char* const before = getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  ASSERT_EQ(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
  tzset();
  EXPECT_EQ(TimeWithZone(1'451'606'400'250, TimeZone::kLocal), "2016-01-01 01:00:00.250 CET");
  EXPECT_EQ(TimeWithZone(1'467'331'200'000, TimeZone::kLocal), "2016-07-01 02:00:00 CEST");
  EXPECT_EQ(TimeWithZone(-1, TimeZone::kLocal), "1970-01-01 00:59:59.999 CET");
  ASSERT_EQ(before == nullptr ? unsetenv("TZ") : setenv("TZ", kept.c_str(), 1), 0);
  tzset();
}

}  // namespace
}  // namespace tidemark::cli
