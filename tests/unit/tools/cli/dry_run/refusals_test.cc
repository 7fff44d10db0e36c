#include "tools/cli/dry_run/refusals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace tidemark::cli {
namespace {

TEST(Refusals, TheFirstOfEachReasonIsToldAndTheOthersAreCounted) {
  Refusals refusals;
  std::string told;
  for (uint64_t line = 1; line <= 300'000; ++line) {
    const bool odd = line % 3 == 0;
    told += refusals.Add({.file = "bad.lp",
                          .line = line,
                          .column = odd ? 5U : 9U,
                          .reason = odd ? "invalid boolean" : "point is invalid",
                          .text = odd ? "m v=x 1" : "m v=1 2 3"});
  }
  EXPECT_EQ(told,
            "bad.lp:1:9: point is invalid\n    m v=1 2 3\n"
            "bad.lp:3:5: invalid boolean\n    m v=x 1\n");
  EXPECT_EQ(refusals.Rest(), "199999 more: point is invalid\n99999 more: invalid boolean\n");
  EXPECT_EQ(refusals.count(), 300'000U);
}

TEST(Refusals, WhatIsNotKnownIsLeftOut) {
  Refusals refusals;
  EXPECT_EQ(refusals.Rest(), "");
  EXPECT_EQ(refusals.Add({.file = {}, .line = 7, .column = 0, .reason = "too old", .text = {}}), "line 7: too old\n");
  EXPECT_EQ(refusals.Add({.file = {}, .line = 0, .column = 0, .reason = "no database", .text = {}}), "no database\n");
  EXPECT_EQ(refusals.Rest(), "") << "each was told";
  refusals.AddUnknown(12);
  EXPECT_EQ(refusals.Rest(), "12 more that the server did not describe\n");
  EXPECT_EQ(refusals.count(), 14U);
  const std::string long_line(1000, 'x');
  const std::string told = refusals.Add({.file = {}, .line = 1, .column = 2, .reason = "long", .text = long_line});
  EXPECT_EQ(told, "line 1:2: long\n    " + std::string(200, 'x') + "...\n");
}

TEST(Refusals, OneReasonForAllIsOne) {
  Refusals refusals;
  EXPECT_EQ(refusals.Add({.file = "a", .line = 1, .column = 0, .reason = "no database", .text = {}}),
            "a:1: no database\n");
  refusals.AddAlike("no database", 41);
  EXPECT_EQ(refusals.Rest(), "41 more: no database\n");
  EXPECT_EQ(refusals.count(), 42U);
}

TEST(Refusals, ManyReasonsEndSomewhere) {
  Refusals refusals;
  std::string told;
  for (int i = 0; i < 1000; ++i) {
    const std::string reason = "reason " + std::to_string(i);
    told += refusals.Add({.file = {}, .line = 1, .column = 1, .reason = reason, .text = {}});
  }
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), static_cast<std::ptrdiff_t>(Refusals::kReasonsMax));
  EXPECT_EQ(refusals.Rest(), "950 more, of other reasons than these\n");
}

}  // namespace
}  // namespace tidemark::cli
