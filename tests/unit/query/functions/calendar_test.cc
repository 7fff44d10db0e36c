// tm_calendar_*, tm_change, tm_local_time against plain loops over days.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "query/engine/engine.h"
#include "storage/model/stale_marker.h"
#include "tests/unit/query/engine/ask.h"
#include "tests/unit/query/engine/fake_view.h"

namespace tidemark::query::functions {
namespace {

using engine::At;
using engine::FakeView;
using engine::Query;
using run::QueryContext;
using run::QueryResult;
using run::RangeSpec;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;
// 2025-03-30T00:00Z; clocks in Berlin go forward an hour later.
constexpr int64_t kChange = 1'743'292'800'000;

Result<QueryResult> Query(std::string_view text, const RangeSpec& range, std::shared_ptr<const FakeView> view) {
  return Query(text, range, QueryContext{.view = std::move(view)});
}

// The values of the only series by step time; no entry where it is absent.
std::map<int64_t, double> Values(const QueryResult& result) {
  std::map<int64_t, double> out;
  for (size_t step = 0; step < result.grid.count && result.frame.size() > 0; ++step) {
    if (result.frame.present[step] != 0) out.emplace(result.grid.TimeMs(step), result.frame.values[step]);
  }
  return out;
}

// One sample every half hour for twelve days around the change; value: its number.
std::shared_ptr<const FakeView> HalfHours(std::map<int64_t, double>* samples) {
  std::vector<std::pair<int64_t, double>> rows;
  for (int64_t i = 0; i < 24 * 24; ++i) {
    const int64_t at = kChange - 6 * kDay + i * kHour / 2;
    rows.emplace_back(at, static_cast<double>(i));
    samples->emplace(at, static_cast<double>(i));
  }
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "m"}}, rows);
  return builder.Build();
}

// Start of the day in Berlin that (as its end) holds `ms`, by the rule: +1 h before the change, +2 h after.
int64_t BerlinDayStart(int64_t ms) {
  for (int64_t day = -20; day < 20; ++day) {
    const auto start_of = [](int64_t d) { return kChange + d * kDay - (d <= 0 ? kHour : 2 * kHour); };
    if (start_of(day) < ms && ms <= start_of(day + 1)) return start_of(day);
  }
  return 0;
}

TEST(CalendarTest, DaysOfANamedZone) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const RangeSpec range{.start_ms = kChange - 3 * kDay, .end_ms = kChange + 4 * kDay, .step_ms = 50 * 60'000};
  for (const int back : {0, 1}) {
    struct Case {
      const char* name;
      double (*value)(double sum, double count, double min, double max);
    };
    const Case cases[] = {{"sum", [](double sum, double, double, double) { return sum; }},
                          {"avg", [](double sum, double count, double, double) { return sum / count; }},
                          {"count", [](double, double count, double, double) { return count; }},
                          {"min", [](double, double, double min, double) { return min; }},
                          {"first", [](double, double, double min, double) { return min; }},
                          {"max", [](double, double, double, double max) { return max; }},
                          {"last", [](double, double, double, double max) { return max; }}};
    for (const Case& one : cases) {
      const std::string text =
          std::string("tm_calendar_") + one.name + "(m[3d], \"day\", \"Europe/Berlin\"" + (back == 0 ? ")" : ", 1)");
      const auto result = Query(text, range, view);
      ASSERT_TRUE(result.ok()) << result.error().message;
      EXPECT_TRUE(result->warnings.empty());
      const auto values = Values(*result);
      for (size_t step = 0; step < result->grid.count; ++step) {
        const int64_t at = result->grid.TimeMs(step);
        int64_t start = BerlinDayStart(at);
        int64_t end = at;
        if (back == 1) {
          end = start;
          start = BerlinDayStart(start);
        }
        double sum = 0, count = 0, min = 1e9, max = -1;
        for (auto it = samples.upper_bound(start); it != samples.end() && it->first <= end; ++it) {
          sum += it->second;
          ++count;
          min = std::min(min, it->second);
          max = std::max(max, it->second);
        }
        if (count == 0) {
          EXPECT_FALSE(values.contains(at)) << text << " " << at;
        } else {
          ASSERT_TRUE(values.contains(at)) << text << " " << at;
          EXPECT_DOUBLE_EQ(values.at(at), one.value(sum, count, min, max)) << text << " " << at;
        }
      }
    }
  }
}

TEST(CalendarTest, TheDayOfTheChangeHas23Hours) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  // 2025-03-31T00:00 in Berlin: the end of the short day.
  const auto result = Query("tm_calendar_count(m[1d], \"day\", \"Europe/Berlin\")", At(kChange + 22 * kHour), view);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->frame.size(), 1U);
  EXPECT_EQ(result->frame.values[0], 46);
}

TEST(CalendarTest, ARangeThatIsTooShortGivesNoValueAndSaysSo) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const auto result = Query("tm_calendar_sum(m[6h], \"day\", \"UTC\")", At(kChange + 7 * kHour), view);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->frame.size(), 0U);
  ASSERT_EQ(result->warnings.size(), 1U);
  EXPECT_EQ(result->warnings[0],
            "PromQL warning: the range of tm_calendar_sum does not reach back to the start of the day at every step, "
            "and steps where it does not have no value; a range of 7h does (1:17)");
}

TEST(CalendarTest, IncreasesOfDaysAddUpToThatOfAll) {
  // A counter that resets now and then, a sample a minute.
  FakeView::Builder builder;
  std::vector<std::pair<int64_t, double>> rows;
  double counter = 5;
  double total = 0;
  for (int64_t i = 0; i <= 4 * 24 * 60; ++i) {
    if (i > 0) {
      const double step = static_cast<double>(i % 7);
      if (i % 1000 == 0) {
        counter = step;
      } else {
        counter += step;
      }
      total += step;
    }
    rows.emplace_back(kChange - 25 * kHour + i * 60'000, counter);
  }
  builder.AddFloats({{"__name__", "c_total"}}, rows);
  const auto view = builder.Build();
  double sum = 0;
  for (int back = 4; back >= 0; --back) {
    const auto result =
        Query("tm_calendar_increase(c_total[6d], \"day\", \"Europe/Berlin\", " + std::to_string(back) + ")",
              At(kChange - 25 * kHour + 4 * kDay), view);
    ASSERT_TRUE(result.ok()) << result.error().message;
    if (result->frame.size() > 0) sum += result->frame.values[0];
  }
  EXPECT_DOUBLE_EQ(sum, total);
}

TEST(CalendarTest, OffsetAndAtMoveTheBucket) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const auto direct = Query("tm_calendar_sum(m[2d], \"day\", \"UTC\")", At(kChange - 2 * kDay + kHour), view);
  for (const char* text : {"tm_calendar_sum(m[2d] offset 2d, \"day\", \"UTC\")",
                           "tm_calendar_sum(m[2d] @ 1743123600, \"day\", \"UTC\")"}) {
    const auto moved = Query(text, At(kChange + kHour), view);
    ASSERT_TRUE(moved.ok()) << moved.error().message;
    ASSERT_EQ(moved->frame.size(), 1U) << text;
    EXPECT_EQ(moved->frame.values[0], direct->frame.values[0]) << text;
  }
}

TEST(CalendarTest, WorksOnSubqueriesAndOnQuantiles) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const auto plain = Query("tm_calendar_max(m[2d], \"day\", \"UTC\")", At(kChange), view);
  const auto subquery = Query("tm_calendar_max((m * 2)[2d:30m], \"day\", \"UTC\") / 2", At(kChange), view);
  const auto quantile = Query("tm_calendar_quantile(1, m[2d], \"day\", \"UTC\")", At(kChange), view);
  ASSERT_TRUE(plain.ok() && subquery.ok() && quantile.ok());
  EXPECT_EQ(plain->frame.values, subquery->frame.values);
  EXPECT_EQ(plain->frame.values, quantile->frame.values);
}

TEST(CalendarTest, RefusesWhatItCannotMean) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const std::pair<const char*, const char*> cases[] = {
      {"tm_calendar_sum(m[2d], \"fortnight\", \"UTC\")", "unknown calendar unit"},
      {"tm_calendar_sum(m[2d], \"day\", \"Mars\")", "unknown time zone"},
      {"tm_calendar_sum(m[2d], \"day\", \"UTC\", 1.5)", "must be a constant whole number from 0 to"},
      {"tm_calendar_sum(m[2d], \"day\", \"UTC\", -1)", "must be a constant whole number from 0 to"},
      {"tm_calendar_sum(m[2d], \"day\", \"UTC\", time())", "must be a constant whole number from 0 to"},
      {"tm_change(m[2d], \"day\", \"UTC\", 0)", "must be a constant whole number from 1 to"},
      {"tm_local_time(m, \"Mars\")", "unknown time zone"},
      {"tm_calendar_start(\"day\", \"Mars\")", "unknown time zone"}};
  for (const auto& [text, words] : cases) {
    const auto result = Query(text, At(kChange), view);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
  }
}

TEST(CalendarTest, StartsOfDaysAndLocalHours) {
  const auto view = FakeView::Builder().Build();
  const auto start = Query("tm_calendar_start(\"day\", \"Europe/Berlin\")", At(kChange + 12 * kHour), view);
  ASSERT_TRUE(start.ok());
  EXPECT_EQ(start->frame.values[0], (kChange - kHour) / 1000);
  const auto next = Query("tm_calendar_start(\"day\", \"Europe/Berlin\", -1)", At(kChange + 12 * kHour), view);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->frame.values[0], (kChange + 22 * kHour) / 1000);
  for (const auto& [hours, want] : {std::pair{0, 1.0}, std::pair{1, 3.0}, std::pair{12, 14.0}}) {
    const auto hour =
        Query("hour(tm_local_time(vector(time()), \"Europe/Berlin\"))", At(kChange + hours * kHour), view);
    ASSERT_TRUE(hour.ok());
    EXPECT_EQ(hour->frame.values[0], want) << hours;
  }
  const auto nan = Query("tm_local_time(vector(NaN), \"UTC\")", At(0), view);
  ASSERT_TRUE(nan.ok());
  EXPECT_TRUE(std::isnan(nan->frame.values[0]));
}

TEST(CalendarTest, ChangeAgainstTheSameTimeOnTheClock) {
  std::map<int64_t, double> samples;
  const auto view = HalfHours(&samples);
  const int64_t at = kChange + 2 * kDay + 9 * kHour;
  const auto then = [&](int64_t ms) { return samples.at(ms); };
  struct Case {
    const char* text;
    int64_t hours;
  };
  for (const Case& one :
       {Case{"tm_change(m[8d], \"week\", \"UTC\")", 168}, Case{"tm_change(m[8d], \"week\", \"Europe/Berlin\")", 167},
        Case{"tm_change(m[8d], \"day\", \"Europe/Berlin\", 3)", 71}}) {
    const auto result = Query(one.text, At(at), view);
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(result->frame.size(), 1U) << one.text;
    EXPECT_EQ(result->frame.values[0], then(at) - then(at - one.hours * kHour)) << one.text;
    EXPECT_EQ(result->frame.rows[0].labels.size(), 0U) << "a difference is not the metric any more";
  }
  const auto ratio = Query("tm_change_ratio(m[8d], \"week\", \"UTC\")", At(at), view);
  ASSERT_TRUE(ratio.ok());
  EXPECT_DOUBLE_EQ(ratio->frame.values[0], (then(at) - then(at - 168 * kHour)) / then(at - 168 * kHour));
  // The same as the operators of PromQL say, at every step.
  const RangeSpec range{.start_ms = kChange, .end_ms = kChange + 5 * kDay, .step_ms = 17 * 60'000};
  const auto ours = Query("tm_change(m[8d], \"week\", \"UTC\")", range, view);
  const auto theirs = Query("m - m offset 1w", range, view);
  ASSERT_TRUE(ours.ok() && theirs.ok());
  EXPECT_EQ(Values(*ours), Values(*theirs));
}

TEST(CalendarTest, ChangeSeesWhereASeriesEndedAndItsGaps) {
  const double stale = model::kStaleMarker;
  FakeView::Builder builder;
  builder.AddFloats({{"__name__", "ended"}}, {{0, 1}, {kDay - 1000, 3}, {kDay, stale}});
  builder.AddFloats({{"__name__", "began"}}, {{kDay - 1000, 3}});
  builder.AddFloats({{"__name__", "was_stale"}}, {{-1000, 1}, {0, stale}, {kDay, 3}});
  builder.AddFloats({{"__name__", "zero"}}, {{0, 0}, {kDay, 3}});
  const auto view = builder.Build();
  for (const char* name : {"ended", "began", "was_stale"}) {
    const auto result = Query(std::string("tm_change(") + name + "[2d], \"day\", \"UTC\")", At(kDay), view);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->frame.size(), 0U) << name;
  }
  const auto ratio = Query("tm_change_ratio(zero[2d], \"day\", \"UTC\")", At(kDay), view);
  ASSERT_TRUE(ratio.ok());
  EXPECT_TRUE(std::isinf(ratio->frame.values[0]));
  const auto short_range = Query("tm_change(zero[1h], \"day\", \"UTC\")", At(kDay), view);
  ASSERT_TRUE(short_range.ok());
  EXPECT_EQ(short_range->frame.size(), 0U);
  ASSERT_EQ(short_range->warnings.size(), 1U);
  EXPECT_NE(short_range->warnings[0].find("a range of 1d1h does"), std::string::npos) << short_range->warnings[0];
}

TEST(CalendarTest, MonthsMayComeFromTiers) {
  FakeView::Builder builder;
  std::vector<std::pair<int64_t, int64_t>> rows;
  for (int64_t i = 0; i < 40 * 24 * 12; ++i) rows.emplace_back(kChange + i * 300'000, i % 1000);
  builder.AddInts({{"__name__", "m"}}, model::FieldType::kInt, rows);
  const auto raw = builder.Build();
  builder.AddTier({.width_ns = kHour * 1'000'000, .trusted_until_ns = (kChange + 60 * kDay) * 1'000'000});
  const auto tiered = builder.Build();
  for (const char* text :
       {"tm_calendar_sum(m[40d], \"month\", \"Asia/Kathmandu\")",
        "tm_calendar_max(m[40d], \"week\", \"Europe/Berlin\")", "tm_calendar_avg(m[40d], \"week\", \"UTC\", 1)"}) {
    const RangeSpec range{.start_ms = kChange + 20 * kDay, .end_ms = kChange + 38 * kDay, .step_ms = kDay + 700'000};
    const auto want = Query(text, range, raw);
    const auto got = Query(text, range, tiered);
    ASSERT_TRUE(want.ok() && got.ok());
    EXPECT_EQ(Values(*want), Values(*got)) << text;
    EXPECT_GT(got->stats.tier_buckets, 0U) << text;
    EXPECT_LT(got->stats.samples, want->stats.samples / 2) << text;
  }
}

}  // namespace
}  // namespace tidemark::query::functions
