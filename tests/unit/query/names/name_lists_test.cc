// Lists of names, part by part, against the whole lists that a view gives.
#include "query/names/name_lists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "query/names/series_walk.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::names {
namespace {

using storage::View;
using testing::IsSubsetOf;

constexpr int64_t kDay0 = 1'700'006'400'000'000'000;  // midnight
constexpr int64_t kDay = 86'400'000'000'000;

class Watch final : public NamesWatch {
 public:
  Status Look(uint64_t held_bytes) override {
    most_bytes = std::max(most_bytes, held_bytes);
    return held_bytes <= bytes_max ? Status() : LimitExceeded("too much");
  }
  [[nodiscard]] size_t series_max() const override { return 0; }
  uint64_t most_bytes = 0;
  uint64_t bytes_max = UINT64_MAX;
};

class NameListsTest : public storage::StoreFixture {
 protected:
  NameListsTest() { clock_.Set(kDay0 + 20 * kDay); }

  // Hosts that each have several fields and some of the other labels, on one of three days.
  void Fill(uint64_t seed, int hosts) {
    std::mt19937_64 random(seed);
    const auto below = [&](uint64_t bound) { return random() % bound; };
    for (int i = 0; i < hosts; ++i) {
      model::BatchBuilder builder;
      const std::string host = "h" + std::to_string(below(static_cast<uint64_t>(hosts)));
      const std::string zone = "z" + std::to_string(below(5));
      const std::string rare = "r" + std::to_string(i);
      std::vector<model::LabelView> tags = {{"host", host}};
      if (below(3) != 0) tags.push_back({"zone", zone});
      if (below(50) == 0) tags.push_back({"rare", rare});
      std::ranges::sort(tags, {}, &model::LabelView::name);
      const int64_t time = kDay0 + static_cast<int64_t>(below(3)) * kDay;
      auto& row = builder.Row(below(2) == 0 ? "cpu" : "mem", tags, {time});
      row.Field("a", 1.0);
      if (below(2) == 0) row.Field("b", 2.0);
      if (below(9) == 0) row.Field("note", "text");
      Write(builder.batch());
    }
  }

  void ExpectAsWhole(const View& view, const std::vector<std::vector<model::Matcher>>& sets, model::TimeRange range) {
    std::set<std::string> names;
    for (const auto& matchers : sets) {
      const auto some = view.LabelNames(matchers, range);
      ASSERT_TRUE(some.ok());
      names.insert(some->begin(), some->end());
    }
    Watch watch;
    const Wanted wanted{.sets = sets, .range = range};
    EXPECT_EQ(LabelNames(view, wanted, &watch).value(), std::vector<std::string>(names.begin(), names.end()));
    for (const char* const label : {"host", "zone", "rare", "__name__", "absent"}) {
      std::set<std::string> values;
      for (const auto& matchers : sets) {
        const auto some = view.LabelValues(label, matchers, range);
        ASSERT_TRUE(some.ok());
        values.insert(some->begin(), some->end());
      }
      const std::vector<std::string> all(values.begin(), values.end());
      const Names whole = LabelValues(view, label, wanted, 0, &watch).value();
      EXPECT_TRUE(whole.all);
      EXPECT_EQ(whole.names, all) << label;
      for (const uint64_t limit : {1, 3, 70, 5000}) {
        Names some = LabelValues(view, label, wanted, limit, &watch).value();
        EXPECT_EQ(std::set(some.names.begin(), some.names.end()).size(), some.names.size()) << "each once";
        EXPECT_THAT(some.names, IsSubsetOf(all));
        if (!some.all) {
          EXPECT_GT(some.names.size(), limit);
          EXPECT_GT(some.names.size(), kFewNames);
          continue;
        }
        std::ranges::sort(some.names);
        EXPECT_EQ(some.names, all) << label << " " << limit;
      }
    }
  }
};

TEST_F(NameListsTest, AreThoseOfTheView) {
  Open();
  Fill(1, 600);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Fill(2, 600);
  const std::vector<std::vector<std::vector<model::Matcher>>> asked = {
      {{}},
      {{{model::MatchOp::kEqual, "zone", "z1"}}},
      {{{model::MatchOp::kEqual, "zone", ""}}},
      {{{model::MatchOp::kRegex, "host", ".*7.*"}}, {{model::MatchOp::kEqual, "__name__", "mem_b"}}},
      {{{model::MatchOp::kNotEqual, "rare", ""}}},
      {{{model::MatchOp::kEqual, "host", "none"}}},
  };
  const auto filter = storage::SeriesFilter::Make(
      {{{model::MatchOp::kRegex, "host", "h[1-4].*"}}, {{model::MatchOp::kEqual, "zone", "z2"}}}, "narrow");
  ASSERT_TRUE(filter.ok());
  for (const bool deleted : {false, true}) {
    if (deleted) {
      const auto report = store_->Delete(
          "", {.selectors = {{{model::MatchOp::kEqual, "zone", "z1"}}}, .range = {{kDay0}, {kDay0 + 2 * kDay - 1}}});
      ASSERT_TRUE(report.ok());
    }
    const auto whole = store_->OpenView("");
    const auto filtered = store_->OpenView("", *filter);
    for (const auto& view : {*whole, *filtered}) {
      for (const auto& sets : asked) {
        for (const model::TimeRange range :
             {model::TimeRange{}, model::TimeRange{{kDay0}, {kDay0 + kDay - 1}}, model::TimeRange{{5}, {6}}}) {
          ExpectAsWhole(*view, sets, range);
        }
      }
    }
  }
}

// What ten of many values cost does not grow with how many there are.
TEST_F(NameListsTest, ALimitBoundsWhatIsHeld) {
  Open();
  model::BatchBuilder builder;
  for (int i = 0; i < 30'000; ++i) {
    builder.Row("m", {{"host", "host_" + std::to_string(i)}, {"dc", "d" + std::to_string(i % 3)}}, {kDay0})
        .Field("v", 1.0);
  }
  Write(builder.batch());
  const auto view = store_->OpenView("");
  const std::vector<std::vector<model::Matcher>> everything = {{}};
  for (const model::TimeRange range : {model::TimeRange{}, model::TimeRange{{kDay0}, {kDay0 + 1}}}) {
    Watch watch;
    const Wanted wanted{.sets = everything, .range = range};
    const Names some = LabelValues(**view, "host", wanted, 10, &watch).value();
    EXPECT_FALSE(some.all);
    EXPECT_EQ(some.names.size(), kFewNames + 1);
    EXPECT_LT(watch.most_bytes, 64'000U);
    // Of a label with few values all are found, and a part for each is enough.
    const Names few = LabelValues(**view, "dc", wanted, 1, &watch).value();
    EXPECT_TRUE(few.all);
    EXPECT_EQ(few.names.size(), 3U);
    EXPECT_LT(watch.most_bytes, 64'000U);
    watch.bytes_max = 500'000;
    EXPECT_EQ(LabelValues(**view, "host", wanted, 0, &watch).error().message, "too much");
  }
}

// Whatever the sizes of the parts, they are the series that are present.
TEST_F(NameListsTest, TheWalkGivesWhatIsPresent) {
  Open();
  Fill(3, 900);
  const auto view = store_->OpenView("");
  const std::vector<model::Matcher> matchers = {{model::MatchOp::kRegex, "host", "h.*[13579]"}};
  for (const model::TimeRange range : {model::TimeRange{}, model::TimeRange{{kDay0}, {kDay0 + kDay - 1}}}) {
    const auto all = (*view)->Select(matchers, range, {.numeric = true, .strings = true});
    const std::vector<model::SeriesRef> present = (*view)->Present(*all, range);
    ASSERT_GT(present.size(), 50U);
    for (const size_t at_most : {1, 7, 100, 5000}) {
      SeriesWalk walk(**view, matchers, range, {.at_most = at_most, .enough = std::max<size_t>(1, at_most / 2)});
      std::vector<model::SeriesRef> part;
      std::vector<model::SeriesRef> walked;
      while (walk.Next(&part).value()) walked.insert(walked.end(), part.begin(), part.end());
      EXPECT_EQ(walked, present) << at_most;
    }
  }
}

// What is too much is refused when the first part says so, and not when it is there.
TEST_F(NameListsTest, ManySeriesAreExpectedAfterTheFirstPart) {
  Open();
  model::BatchBuilder rows;
  constexpr size_t kSeries = 20'000;
  for (size_t i = 0; i < kSeries; ++i) {
    rows.Row("cpu", {{"host", "h" + std::to_string(i)}}, {kDay0}).Field("a", 1.0);
  }
  Write(rows.batch());
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  const std::vector<std::vector<model::Matcher>> sets = {{{model::MatchOp::kEqual, "__name__", "cpu_a"}}};
  std::vector<model::SeriesRef> refs;
  uint64_t expected = 0;
  size_t looked_at = 0;
  const auto look = [](uint64_t) -> Status { return {}; };
  const auto note = [&](std::span<const model::SeriesRef> some, uint64_t count) -> Status {
    looked_at = some.size();
    expected = count;
    return LimitExceeded("too much");
  };
  EXPECT_FALSE(SelectAll(**view, sets, {}, {}, 0, look, note, &refs).ok());
  EXPECT_EQ(looked_at, kFirstPart);
  EXPECT_GT(expected, kSeries / 2);
  EXPECT_LE(expected, kSeries);
  // Of part of the time nothing is known beforehand; neither is it of few.
  expected = 0;
  EXPECT_TRUE(SelectAll(**view, sets, {{kDay0}, {kDay0 + 1}}, {}, 0, look, note, &refs).ok());
  EXPECT_EQ(refs.size(), kSeries);
  EXPECT_EQ(expected, 0U);
  EXPECT_FALSE(SelectAll(**view, sets, {}, {}, kSeries / 2, look, note, &refs).ok()) << "more than may be selected";
}

}  // namespace
}  // namespace tidemark::query::names
