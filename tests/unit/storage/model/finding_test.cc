#include "storage/model/finding.h"

#include <gtest/gtest.h>

namespace tidemark::model {
namespace {

constexpr Timestamp kNoon{1'769'860'800'000'000'000};  // 2026-01-31T12:00:00Z

TEST(FindingTest, AProvenLossSaysHowMuchAndWhen) {
  const Loss loss{.records = 9,
                  .rows = 45,
                  .since = Timestamp{kNoon.ns + 3'000'000'000},
                  .until = Timestamp{kNoon.ns + 4'999'999'999},
                  .proven = true};
  EXPECT_EQ(Describe(loss),
            "45 rows (9 journal records) that were acknowledged between 2026-01-31T12:00:03Z and "
            "2026-01-31T12:00:04Z are missing");
}

TEST(FindingTest, WhatIsNotKnownIsNotClaimed) {
  EXPECT_EQ(Describe(Loss{}), "rows, nobody can tell how many, that may have been acknowledged are missing");
  EXPECT_EQ(Describe(Loss{.records = 1, .until = kNoon}),
            "1 journal record that may have been acknowledged until 2026-01-31T12:00:00Z is missing");
  EXPECT_EQ(Describe(Loss{.rows = 1, .since = kNoon, .proven = true}),
            "1 row that was acknowledged after 2026-01-31T12:00:00Z is missing");
}

TEST(FindingTest, ALineHasPlaceReasonNumbersAndWhatWasAccepted) {
  Finding finding{.area = FindingArea::kJournal, .place = "journal/1.tmj", .what = "record 3 is not there"};
  EXPECT_EQ(Describe(finding), "journal/1.tmj: record 3 is not there");
  finding.expected = "5";
  finding.found = "4";
  finding.loss = Loss{.rows = 2};
  finding.accepted = kNoon;
  EXPECT_EQ(Describe(finding),
            "journal/1.tmj: record 3 is not there (expected 5, found 4); 2 rows that may have been acknowledged are "
            "missing; accepted by a repair at 2026-01-31T12:00:00Z");
  finding = {.what = "it is short", .found = "4"};
  EXPECT_EQ(Describe(finding), "it is short (found 4)");
}

TEST(FindingTest, EveryAreaHasAName) {
  for (int area = 0; area <= static_cast<int>(FindingArea::kClock); ++area) {
    EXPECT_NE(NameOf(static_cast<FindingArea>(area)), "");
  }
}

}  // namespace
}  // namespace tidemark::model
