#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "storage/base/text/instant.h"

namespace tidemark::text {
namespace {

constexpr int64_t kMissing = std::numeric_limits<int64_t>::min();

int64_t Ms(std::string_view text, Rfc3339Form form) {
  const auto at = ParseRfc3339(text, form);
  return at ? at->Ms() : kMissing;
}

TEST(TextInstant, BothFormsReadRfc3339) {
  for (const Rfc3339Form form : {Rfc3339Form::kGo, Rfc3339Form::kTyped}) {
    EXPECT_EQ(Ms("1970-01-01T00:00:00Z", form), 0);
    EXPECT_EQ(Ms("2023-11-14T22:13:20.5Z", form), 1'700'000'000'500);
    EXPECT_EQ(Ms("2016-01-01T02:00:00+02:00", form), 1'451'606'400'000);
    EXPECT_EQ(Ms("2015-12-31T18:30:00-05:30", form), 1'451'606'400'000);
    EXPECT_EQ(Ms("2016-02-29T00:00:00Z", form), 1'456'704'000'000);
    EXPECT_EQ(Ms("1969-12-31T23:59:59.999Z", form), -1);
    EXPECT_EQ(Ms("0000-01-01T00:00:00Z", form), -62'167'219'200'000);
    EXPECT_EQ(Ms("9999-12-31T23:59:59.999Z", form), 253'402'300'799'999);
    EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00.1234567899Z", form)->nanos, 123'456'789);
    for (const char* const bad :
         {"", "2016", "2016-13-01T00:00:00Z", "2016-00-01T00:00:00Z", "2016-02-30T00:00:00Z", "2015-02-29T00:00:00Z",
          "2016-01-00T00:00:00Z", "2016-01-01T24:00:00Z", "2016-01-01T00:60:00Z", "2016-01-01T00:00:61Z",
          "2016-01-01T00:00:00Zx", "2016-01-01T00:00:00.Z", "2016-01-01T00:00:00+0200", "2016-01-01T00:00:00+02",
          "2016-01-01T-5:00:00Z", "-123-01-01T00:00:00Z", "2016-01-01T00:00:00.5e3Z", "16-01-01T00:00:00Z"}) {
      EXPECT_EQ(Ms(bad, form), kMissing) << bad;
    }
  }
}

TEST(TextInstant, WhatGoReadsBesides) {
  for (const char* const text : {"2016-01-01t00:00:00Z", "2016-01-01T00:00:00z", "2016-01-01T00:00:00,0Z"}) {
    EXPECT_EQ(Ms(text, Rfc3339Form::kGo), 1'451'606'400'000) << text;
    EXPECT_EQ(Ms(text, Rfc3339Form::kTyped), kMissing) << text;
  }
}

TEST(TextInstant, WhatPeopleTypeBesides) {
  for (const char* const text : {"2016-01-01", "2016-01-01 00:00:00Z", "2016-01-01T00:00", "2016-01-01T00:00:00",
                                 "2015-12-31T23:59:60Z", "2016-01-05T03:00:00+99:00", "2016-01-01T01:39:00+00:99"}) {
    EXPECT_EQ(Ms(text, Rfc3339Form::kTyped), 1'451'606'400'000) << text;
    EXPECT_EQ(Ms(text, Rfc3339Form::kGo), kMissing) << text;
  }
}

TEST(TextInstant, OfOtherUnits) {
  EXPECT_EQ(Instant::FromMs(-1).seconds, -1);
  EXPECT_EQ(Instant::FromMs(-1).nanos, 999'000'000);
  EXPECT_EQ(Instant::FromMs(-1).Ms(), -1);
  EXPECT_EQ(Instant::FromNs(-1).nanos, 999'999'999);
  EXPECT_EQ(Instant::FromNs(std::numeric_limits<int64_t>::min()).seconds, -9'223'372'037);
  EXPECT_EQ(Instant::FromNs(std::numeric_limits<int64_t>::max()).nanos, 854'775'807);
}

TEST(TextInstant, Styles) {
  const Instant half{1'700'000'000, 500'000'000};
  const Instant whole{1'700'000'000, 0};
  const Instant small{1'700'000'000, 1'000};
  using Fraction = InstantStyle::Fraction;
  EXPECT_EQ(PrintInstant(half), "2023-11-14T22:13:20.5Z");
  EXPECT_EQ(PrintInstant(whole), "2023-11-14T22:13:20Z");
  EXPECT_EQ(PrintInstant(small), "2023-11-14T22:13:20.000001Z");
  EXPECT_EQ(PrintInstant(half, {.fraction = Fraction::kNone}), "2023-11-14T22:13:20Z");
  EXPECT_EQ(PrintInstant(whole, {.colon = "", .fraction = Fraction::kMs}), "2023-11-14T221320.000Z");
  EXPECT_EQ(PrintInstant(half, {.between = ' ', .fraction = Fraction::kMsOrNone, .zone = ""}),
            "2023-11-14 22:13:20.500");
  EXPECT_EQ(PrintInstant(small, {.between = ' ', .fraction = Fraction::kMsOrNone, .zone = ""}), "2023-11-14 22:13:20");
  EXPECT_EQ(PrintInstant({-62'167'219'200, 0}), "0000-01-01T00:00:00Z");
}

TEST(TextInstant, WhatIsPrintedIsRead) {
  for (int64_t ns = std::numeric_limits<int64_t>::min(), at = 0; at < 1000; ++at, ns += 18'446'744'073'709'551) {
    std::string text;
    AppendRfc3339(&text, ns);
    const auto back = ParseRfc3339(text, Rfc3339Form::kGo);
    ASSERT_TRUE(back) << text;
    const Instant there = Instant::FromNs(ns);
    EXPECT_EQ(back->seconds, there.seconds) << text;
    EXPECT_EQ(back->nanos, there.nanos) << text;
  }
}

}  // namespace
}  // namespace tidemark::text
