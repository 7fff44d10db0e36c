#include "query/trend/zone.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::query::trend {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;

// 2025-03-01T00:00:00Z.
constexpr int64_t kMarch = 1'740'787'200'000;

Zone Berlin() { return *Zone::Find("Europe/Berlin"); }
Zone Utc() { return *Zone::Find("UTC"); }

TEST(ZoneTest, DaysOfUtcAreDivisions) {
  for (const int64_t ms : {int64_t{1}, kHour, kDay, kDay + 1, 20'000 * kDay + 5 * kHour, -1 * kHour, -kDay}) {
    const int64_t start = (ms - 1 >= 0 ? (ms - 1) / kDay : -((kDay - ms) / kDay)) * kDay;
    EXPECT_EQ(Utc().Bucket(CalendarUnit::kDay, ms, 0), (CalendarBucket{start, start + kDay})) << ms;
    EXPECT_EQ(Utc().Bucket(CalendarUnit::kDay, ms, 3), (CalendarBucket{start - 3 * kDay, start - 2 * kDay})) << ms;
  }
}

TEST(ZoneTest, ATimeThatEndsABucketBelongsToIt) {
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kMonth, kMarch, 0).last_ms, kMarch);
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kMonth, kMarch + 1, 0).after_ms, kMarch);
}

TEST(ZoneTest, DaysOfChangesHave23And25Hours) {
  // Clocks in Berlin went forward at 2025-03-30T01:00Z, back at 2025-10-26T01:00Z.
  const int64_t spring = 1'743'292'800'000 + 12 * kHour;  // 2025-03-30T12:00Z
  const CalendarBucket short_day = Berlin().Bucket(CalendarUnit::kDay, spring, 0);
  EXPECT_EQ(short_day.last_ms - short_day.after_ms, 23 * kHour);
  EXPECT_EQ(short_day.after_ms, 1'743'292'800'000 - kHour);
  const int64_t autumn = 1'761'436'800'000 + 12 * kHour;  // 2025-10-26T12:00Z
  const CalendarBucket long_day = Berlin().Bucket(CalendarUnit::kDay, autumn, 0);
  EXPECT_EQ(long_day.last_ms - long_day.after_ms, 25 * kHour);
  EXPECT_EQ(long_day.after_ms, 1'761'436'800'000 - 2 * kHour);
}

TEST(ZoneTest, BucketsFollowEachOtherWithoutGapOrOverlap) {
  for (const char* name : {"Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Apia",
                           "America/Havana", "Antarctica/Troll", "UTC"}) {
    const auto zone = Zone::Find(name);
    ASSERT_TRUE(zone.ok()) << zone.error().message;
    for (const CalendarUnit unit :
         {CalendarUnit::kDay, CalendarUnit::kWeek, CalendarUnit::kMonth, CalendarUnit::kQuarter, CalendarUnit::kYear}) {
      // From 2010, with the day that Samoa left out, the midnights that Brazil skipped and Cuba had twice.
      int64_t at = 1'262'304'000'000;
      CalendarBucket before = zone->Bucket(unit, at, 0);
      for (int i = 0; i < 2000; ++i) {
        const CalendarBucket bucket = zone->Bucket(unit, before.last_ms + 1, 0);
        ASSERT_EQ(bucket.after_ms, before.last_ms) << name << " " << before.last_ms;
        ASSERT_GT(bucket.last_ms, bucket.after_ms) << name << " " << before.last_ms;
        ASSERT_EQ(zone->Bucket(unit, bucket.last_ms, 0), bucket) << name;
        before = bucket;
      }
    }
  }
}

TEST(ZoneTest, WeeksBeginOnMonday) {
  // 2025-03-01 was a Saturday.
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kWeek, kMarch + 1, 0), (CalendarBucket{kMarch - 5 * kDay, kMarch + 2 * kDay}));
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kWeek, kMarch + 2 * kDay, 0).after_ms, kMarch - 5 * kDay);
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kWeek, kMarch + 2 * kDay + 1, 0).after_ms, kMarch + 2 * kDay);
}

TEST(ZoneTest, MonthsQuartersAndYears) {
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kMonth, kMarch + kDay, 1), (CalendarBucket{kMarch - 28 * kDay, kMarch}));
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kQuarter, kMarch + kDay, 0),
            (CalendarBucket{kMarch - 59 * kDay, kMarch + 31 * kDay}));
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kYear, kMarch + kDay, 0),
            (CalendarBucket{kMarch - 59 * kDay, kMarch + 306 * kDay}));
  // 2024 was a leap year.
  EXPECT_EQ(Utc().Bucket(CalendarUnit::kYear, kMarch + kDay, 1).after_ms, kMarch - (59 + 366) * kDay);
}

TEST(ZoneTest, TheRuleAtTheEndOfTheFileHolds) {
  // 2060-07-01: far beyond what files list.
  EXPECT_EQ(Zone::Find("Europe/Berlin")->OffsetSeconds(2'855'952'000), 7200);
  EXPECT_EQ(Zone::Find("Europe/Berlin")->OffsetSeconds(2'840'140'800), 3600);
  EXPECT_EQ(Zone::Find("Asia/Kathmandu")->OffsetSeconds(1'740'787'200), 20'700);
}

TEST(ZoneTest, EarlierKeepsTheTimeOnTheClock) {
  // 2025-04-02T09:30 in Berlin (summer time) and a week before (winter time): 167 hours apart.
  const int64_t at = 1'743'579'000'000;
  EXPECT_EQ(Berlin().Earlier(CalendarUnit::kWeek, at, 1), at - 167 * kHour);
  EXPECT_EQ(Utc().Earlier(CalendarUnit::kWeek, at, 1), at - 168 * kHour);
  EXPECT_EQ(Utc().Earlier(CalendarUnit::kWeek, at + 123, 2), at + 123 - 336 * kHour);
  // 2025-03-31: February has no 31st.
  const int64_t march_31 = kMarch + 30 * kDay + kHour;
  EXPECT_EQ(Utc().Earlier(CalendarUnit::kMonth, march_31, 1), kMarch - kDay + kHour);
  EXPECT_EQ(Utc().Earlier(CalendarUnit::kYear, march_31, 1), march_31 - 365 * kDay);
  // 02:30 on the day after the change; the day before, clocks went from 02:00 to 03:00.
  const int64_t skipped = 1'743'292'800'000 + kDay + kHour / 2;
  EXPECT_EQ(Berlin().Earlier(CalendarUnit::kDay, skipped, 1), 1'743'292'800'000 + kHour);
}

TEST(ZoneTest, RefusesWhatIsNoZone) {
  for (const char* name :
       {"", "Mars/Olympus", "europe/berlin", "../../etc/passwd", "/etc/passwd", "/usr/share/zoneinfo/UTC", "localtime",
        "zone.tab", "Europe", "Europe/", "UTC\n", "Europe/../UTC"}) {
    const auto zone = Zone::Find(name);
    ASSERT_FALSE(zone.ok()) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(zone.error().message.find("unknown time zone"), std::string::npos) << zone.error().message;
  }
  EXPECT_FALSE(Zone::Find(std::string(1000, 'A')).ok());
}

TEST(ZoneTest, RefusesWhatIsNoUnit) {
  EXPECT_TRUE(ParseCalendarUnit("quarter").ok());
  const auto unit = ParseCalendarUnit("fortnight");
  ASSERT_FALSE(unit.ok());
  EXPECT_EQ(unit.error().message,
            "unknown calendar unit \"fortnight\"; one of day, week, month, quarter, year is wanted");
}

}  // namespace
}  // namespace tidemark::query::trend
