#include "storage/series_filter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tidemark::storage {
namespace {

using model::LabelView;
using model::Matcher;
using model::MatchOp;

SeriesFilter FilterOf(std::vector<std::vector<Matcher>> any_of) {
  return SeriesFilter::Make(std::move(any_of), "text").value();
}

bool Accepts(const SeriesFilter& filter, std::vector<LabelView> labels) { return filter.Accepts(labels); }

TEST(SeriesFilter, EverythingAcceptsAndNarrowsNothing) {
  const SeriesFilter all = SeriesFilter::Everything();
  EXPECT_TRUE(all.everything());
  EXPECT_EQ(all.text(), "");
  EXPECT_TRUE(Accepts(all, {}));
  EXPECT_TRUE(all.implied().empty());
  const std::vector<Matcher> selector{{MatchOp::kEqual, "a", "b"}};
  EXPECT_EQ(all.Narrow(selector), (std::vector<std::vector<Matcher>>{selector}));
  EXPECT_TRUE(SeriesFilter::Of(nullptr).everything());
}

TEST(SeriesFilter, EachKindOfMatcher) {
  struct Case {
    Matcher matcher;
    bool a, b, absent;
  };
  for (const Case& one : std::vector<Case>{{{MatchOp::kEqual, "team", "a"}, true, false, false},
                                           {{MatchOp::kEqual, "team", ""}, false, false, true},
                                           {{MatchOp::kNotEqual, "team", "a"}, false, true, true},
                                           {{MatchOp::kNotEqual, "team", ""}, true, true, false},
                                           {{MatchOp::kRegex, "team", "a|c"}, true, false, false},
                                           {{MatchOp::kRegex, "team", ".*"}, true, true, true},
                                           {{MatchOp::kNotRegex, "team", "a.*"}, false, true, true},
                                           {{MatchOp::kNotRegex, "team", ".+"}, false, false, true}}) {
    const SeriesFilter filter = FilterOf({{one.matcher}});
    const std::string label = one.matcher.name + " " + one.matcher.value;
    EXPECT_EQ(Accepts(filter, {{"__name__", "m"}, {"host", "x"}, {"team", "a"}}), one.a) << label;
    EXPECT_EQ(Accepts(filter, {{"__name__", "m"}, {"host", "x"}, {"team", "b"}}), one.b) << label;
    EXPECT_EQ(Accepts(filter, {{"__name__", "m"}, {"host", "x"}}), one.absent) << label;
  }
}

TEST(SeriesFilter, SelectorsAreAlternativesAndMatchersAreConditions) {
  const SeriesFilter filter = FilterOf(
      {{{MatchOp::kEqual, "team", "a"}, {MatchOp::kEqual, "zone", "1"}}, {{MatchOp::kRegex, "__name__", "app_.*"}}});
  EXPECT_TRUE(Accepts(filter, {{"__name__", "os"}, {"team", "a"}, {"zone", "1"}}));
  EXPECT_FALSE(Accepts(filter, {{"__name__", "os"}, {"team", "a"}, {"zone", "2"}}));
  EXPECT_TRUE(Accepts(filter, {{"__name__", "app_x"}, {"team", "b"}}));
  EXPECT_TRUE(filter.implied().empty()) << "which selector would it be";
  const std::vector<Matcher> asked{{MatchOp::kNotEqual, "team", "a"}};
  const auto narrowed = filter.Narrow(asked);
  ASSERT_EQ(narrowed.size(), 2U);
  EXPECT_EQ(narrowed[0].size(), 3U);
  EXPECT_EQ(narrowed[1].size(), 2U);
  EXPECT_EQ(narrowed[1][0], asked[0]) << "both conditions hold, neither replaces the other";
}

TEST(SeriesFilter, OnlyEqualLabelsWithAValueAreImplied) {
  const SeriesFilter filter = FilterOf({{{MatchOp::kEqual, "team", "a"},
                                         {MatchOp::kEqual, "none", ""},
                                         {MatchOp::kEqual, "__name__", "m"},
                                         {MatchOp::kRegex, "zone", "1"},
                                         {MatchOp::kEqual, "area", "n"}}});
  ASSERT_EQ(filter.implied().size(), 2U);
  EXPECT_EQ(filter.implied()[0].name, "area");
  EXPECT_EQ(filter.implied()[1].name, "team");
}

TEST(SeriesFilter, WhatIsNotKnownYetMayBeAccepted) {
  const SeriesFilter filter = FilterOf({{{MatchOp::kEqual, "team", "a"}, {MatchOp::kEqual, "zone", "1"}}});
  const auto may = [&](std::vector<LabelView> some) { return filter.MayAccept(some); };
  EXPECT_TRUE(may({}));
  EXPECT_TRUE(may({{"team", "a"}}));
  EXPECT_FALSE(may({{"team", "b"}}));
  EXPECT_FALSE(may({{"team", "a"}, {"zone", "2"}}));
}

TEST(SeriesFilter, BadOnesAreRefused) {
  const auto refusal = [](std::vector<std::vector<Matcher>> any_of) {
    const Result<SeriesFilter> made = SeriesFilter::Make(std::move(any_of), "x");
    return made.ok() ? std::string() : made.error().message;
  };
  EXPECT_NE(refusal({}), "");
  EXPECT_NE(refusal({{}}), "");
  EXPECT_NE(refusal({{{MatchOp::kEqual, "a", "b"}}, {}}), "") << "one that accepts all beside one that does not";
  EXPECT_NE(refusal({{{MatchOp::kRegex, "a", "("}}}), "");
  const std::vector<Matcher> good{{MatchOp::kEqual, "a", "b"}};
  EXPECT_EQ(refusal(std::vector(SeriesFilter::kMaxSelectors, good)), "");
  EXPECT_NE(refusal(std::vector(SeriesFilter::kMaxSelectors + 1, good)).find("at most 100"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::storage
