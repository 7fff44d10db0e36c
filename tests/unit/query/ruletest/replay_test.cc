#include "query/ruletest/replay.h"

#include <gtest/gtest.h>

namespace tidemark::query::ruletest {
namespace {

constexpr int64_t kMinute = 60'000;

std::vector<rules::Group> Parse(const std::string& rule) {
  auto groups = rules::ParseRuleFile("groups: [{name: g, interval: 1m, rules: [" + rule + "]}]", "r.yml");
  EXPECT_TRUE(groups.ok()) << groups.error().message;
  return *groups;
}

// A series that is there in the minutes [first, last].
AskRange There(int64_t first, int64_t last) {
  return [=](const std::string& database, const std::string& text, int64_t start_ms, int64_t end_ms,
             int64_t step_ms) -> Result<std::vector<ReplaySeries>> {
    EXPECT_EQ(database, "calls");
    EXPECT_EQ(text, "up == 0");
    EXPECT_EQ(start_ms % step_ms, 0);
    ReplaySeries series{{{"__name__", "up"}, {"job", "a"}}, {}};
    for (int64_t ms = start_ms; ms <= end_ms; ms += step_ms) {
      if (ms >= first * kMinute && ms <= last * kMinute) series.samples.emplace_back(ms, 0);
    }
    return std::vector<ReplaySeries>{series};
  };
}

std::vector<ReplayFiring> Firings(const std::vector<rules::Group>& groups, int64_t from, int64_t to,
                                  const AskRange& ask) {
  auto done = Replay(groups, {.from_ms = from * kMinute, .to_ms = to * kMinute, .database = "calls"}, ask);
  EXPECT_TRUE(done.ok()) << done.error().message;
  return *done;
}

TEST(Replay, FiresAfterItsTimeAndEnds) {
  const auto groups = Parse("{alert: Down, expr: up == 0, for: 2m, labels: {severity: page}}, {record: x, expr: up}");
  const auto firings = Firings(groups, 10, 40, There(20, 25));
  ASSERT_EQ(firings.size(), 1U);
  EXPECT_EQ(firings[0].active_ms, 20 * kMinute);
  EXPECT_EQ(firings[0].fired_ms, 22 * kMinute);
  EXPECT_EQ(firings[0].ended_ms, 26 * kMinute);
  EXPECT_EQ(firings[0].labels, (model::Labels{{"alertname", "Down"}, {"job", "a"}, {"severity", "page"}}));
  EXPECT_TRUE(Firings(groups, 10, 40, There(20, 21)).empty());
}

TEST(Replay, SeesWhatWasPendingAtTheStartAndWhatFiresAtTheEnd) {
  const auto groups = Parse("{alert: Down, expr: up == 0, for: 5m}");
  const auto pending = Firings(groups, 22, 40, There(20, 60));
  ASSERT_EQ(pending.size(), 1U);
  EXPECT_EQ(pending[0].fired_ms, 25 * kMinute);
  EXPECT_FALSE(pending[0].ended_ms);
  EXPECT_TRUE(Firings(groups, 60, 90, There(20, 50)).empty()) << "it was over";
}

TEST(Replay, KeepsFiring) {
  const auto firings = Firings(Parse("{alert: Down, expr: up == 0, keep_firing_for: 3m}"), 10, 40, There(20, 20));
  ASSERT_EQ(firings.size(), 1U);
  EXPECT_EQ(firings[0].ended_ms, 24 * kMinute);
}

// A series that is there up to the minute `last`, and is 0 from the minute `down` on.
AskRange GoneAfter(int64_t down, int64_t last) {
  return [=](const std::string&, const std::string& text, int64_t start_ms, int64_t end_ms,
             int64_t step_ms) -> Result<std::vector<ReplaySeries>> {
    EXPECT_TRUE(text == "up == 0" || text == "up") << text;
    const int64_t first = text == "up" ? 0 : down;
    ReplaySeries series{{{"__name__", "up"}, {"job", "a"}}, {}};
    for (int64_t ms = start_ms; ms <= end_ms; ms += step_ms) {
      if (ms >= first * kMinute && ms <= last * kMinute) series.samples.emplace_back(ms, 0);
    }
    return std::vector<ReplaySeries>{series};
  };
}

TEST(Replay, KeepsAnAlertWithoutData) {
  const auto firings =
      Firings(Parse("{alert: Down, expr: up == 0, for: 2m, no_data: keep}"), 10, 40, GoneAfter(20, 25));
  ASSERT_EQ(firings.size(), 1U);
  EXPECT_EQ(firings[0].fired_ms, 22 * kMinute);
  EXPECT_FALSE(firings[0].ended_ms);
}

TEST(Replay, AlertsWithoutData) {
  const auto groups = Parse("{alert: Down, expr: up == 0, for: 2m, no_data: alert}");
  const auto firings = Firings(groups, 10, 40, GoneAfter(100, 25));
  ASSERT_EQ(firings.size(), 1U);
  EXPECT_EQ(firings[0].active_ms, 26 * kMinute);
  EXPECT_EQ(firings[0].fired_ms, 28 * kMinute);
  EXPECT_FALSE(firings[0].ended_ms);
  const auto before = Firings(groups, 60, 90, GoneAfter(100, 25));
  ASSERT_EQ(before.size(), 1U) << "gone before the time that was asked for";
  EXPECT_EQ(before[0].active_ms, 26 * kMinute);
  EXPECT_EQ(before[0].fired_ms, 60 * kMinute);
}

TEST(Replay, TellsWhichRuleCannotBeAsked) {
  const auto groups = Parse("{alert: Down, expr: up == 0}");
  const auto done = Replay(groups, {.from_ms = 0, .to_ms = kMinute, .database = ""},
                           [](auto&&...) -> Result<std::vector<ReplaySeries>> { return LimitExceeded("too much"); });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "rule \"Down\" of group \"g\": too much");
}

}  // namespace
}  // namespace tidemark::query::ruletest
