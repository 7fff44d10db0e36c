#include "query/notify/time_interval.h"

#include <gtest/gtest.h>

#include "storage/base/text/instant.h"

namespace tidemark::query::notify {
namespace {

int64_t At(const char* text) { return text::ParseRfc3339(text, text::Rfc3339Form::kTyped)->seconds * 1'000'000'000; }

TEST(TimeInterval, TheStartIsInItTheEndIsNot) {
  TimeInterval interval;
  interval.minutes = {{*ParseTimeOfDay("09:00"), *ParseTimeOfDay("17:00")}};
  EXPECT_TRUE(interval.Contains(At("2026-03-04T09:00:00Z")));
  EXPECT_TRUE(interval.Contains(At("2026-03-04T16:59:59Z")));
  EXPECT_FALSE(interval.Contains(At("2026-03-04T17:00:00Z")));
  EXPECT_FALSE(interval.Contains(At("2026-03-04T08:59:59Z")));
}

TEST(TimeInterval, ZonesFollowTheirClocks) {
  TimeInterval interval;
  interval.minutes = {{*ParseTimeOfDay("09:00"), *ParseTimeOfDay("10:00")}};
  interval.zone = *trend::Zone::Find("Europe/Berlin");
  EXPECT_TRUE(interval.Contains(At("2026-01-15T08:30:00Z")));   // winter: an hour before UTC
  EXPECT_FALSE(interval.Contains(At("2026-07-15T08:30:00Z")));  // summer: two
  EXPECT_TRUE(interval.Contains(At("2026-07-15T07:30:00Z")));
}

TEST(TimeInterval, WhereTheClockIsSet) {
  TimeInterval interval;
  interval.minutes = {{*ParseTimeOfDay("02:00"), *ParseTimeOfDay("03:00")}};
  interval.zone = *trend::Zone::Find("Europe/Berlin");
  // 02:00 to 03:00 is left out in spring.
  EXPECT_FALSE(interval.Contains(At("2026-03-29T00:59:59Z")));
  EXPECT_FALSE(interval.Contains(At("2026-03-29T01:00:00Z")));
  EXPECT_FALSE(interval.Contains(At("2026-03-29T01:30:00Z")));
  // It comes twice in autumn.
  EXPECT_FALSE(interval.Contains(At("2026-10-24T23:59:59Z")));
  EXPECT_TRUE(interval.Contains(At("2026-10-25T00:00:00Z")));
  EXPECT_TRUE(interval.Contains(At("2026-10-25T01:59:59Z")));
  EXPECT_FALSE(interval.Contains(At("2026-10-25T02:00:00Z")));
  // Where it is set by half an hour, also the day is another: 00:15 on Monday is Sunday in UTC.
  interval = {};
  interval.weekdays = {*ParseWeekdays("monday")};
  interval.zone = *trend::Zone::Find("Australia/Lord_Howe");
  EXPECT_TRUE(interval.Contains(At("2026-01-11T13:15:00Z")));   // +11:00
  EXPECT_FALSE(interval.Contains(At("2026-07-12T13:15:00Z")));  // +10:30
  EXPECT_TRUE(interval.Contains(At("2026-07-12T13:45:00Z")));
}

TEST(TimeInterval, DaysFromTheEndOfTheMonth) {
  TimeInterval interval;
  interval.days = {*ParseDaysOfMonth("-3:-1")};
  EXPECT_TRUE(interval.Contains(At("2026-02-26T00:00:00Z")));
  EXPECT_FALSE(interval.Contains(At("2026-02-25T23:59:59Z")));
  interval.days = {*ParseDaysOfMonth("29:31")};
  EXPECT_FALSE(interval.Contains(At("2026-02-28T00:00:00Z")));
  EXPECT_TRUE(interval.Contains(At("2028-02-29T00:00:00Z")));
  interval.days = {*ParseDaysOfMonth("25:-2")};
  EXPECT_TRUE(interval.Contains(At("2026-02-27T00:00:00Z")));
  EXPECT_FALSE(interval.Contains(At("2026-02-28T00:00:00Z")));
}

TEST(TimeInterval, AllListsMustHoldIt) {
  TimeInterval interval;
  interval.weekdays = {*ParseWeekdays("Monday:friday"), *ParseWeekdays("sunday")};
  interval.months = {*ParseMonths("march:May"), *ParseMonths("12")};
  interval.years = {*ParseYears("2026")};
  EXPECT_TRUE(interval.Contains(At("2026-03-02T00:00:00Z")));   // a Monday
  EXPECT_FALSE(interval.Contains(At("2026-03-07T00:00:00Z")));  // a Saturday
  EXPECT_TRUE(interval.Contains(At("2026-03-01T00:00:00Z")));   // a Sunday
  EXPECT_FALSE(interval.Contains(At("2026-06-01T00:00:00Z")));
  EXPECT_FALSE(interval.Contains(At("2025-12-01T00:00:00Z")));
  EXPECT_TRUE(interval.Contains(At("2026-12-01T00:00:00Z")));
  EXPECT_TRUE(TimeInterval().Contains(At("1969-12-31T23:59:59Z")));
}

TEST(TimeInterval, WhatIsNoRange) {
  EXPECT_FALSE(ParseTimeOfDay("24:01").ok());
  EXPECT_FALSE(ParseTimeOfDay("9:00").ok());
  EXPECT_FALSE(ParseTimeOfDay("+9:00").ok());
  EXPECT_EQ(*ParseTimeOfDay("24:00"), 1440);
  EXPECT_FALSE(ParseWeekdays("saturday:sunday").ok());
  EXPECT_FALSE(ParseWeekdays("day").ok());
  EXPECT_FALSE(ParseDaysOfMonth("0").ok());
  EXPECT_FALSE(ParseDaysOfMonth("-1:5").ok());
  EXPECT_FALSE(ParseDaysOfMonth("5:3").ok());
  EXPECT_FALSE(ParseDaysOfMonth("32").ok());
  EXPECT_TRUE(ParseDaysOfMonth("27:-1").ok());
  EXPECT_FALSE(ParseDaysOfMonth("28:-1").ok());
  EXPECT_TRUE(ParseDaysOfMonth("1:-27").ok());
  EXPECT_FALSE(ParseDaysOfMonth("1:-28").ok());
  EXPECT_FALSE(ParseDaysOfMonth("-1:-3").ok());
  EXPECT_FALSE(ParseMonths("november:february").ok());
  EXPECT_FALSE(ParseMonths("13").ok());
  EXPECT_FALSE(ParseYears("2027:2026").ok());
}

}  // namespace
}  // namespace tidemark::query::notify
