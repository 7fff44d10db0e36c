// What a back-fill writes is what a server would have recorded.
#include "query/rules/backfill.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "storage/model/stale_marker.h"
#include "tests/unit/query/rules/manager_fixture.h"

namespace tidemark::query::rules {
namespace {

// One rule reads what another records, one itself; the first only some times gives something.
constexpr const char* kRules = R"(groups:
  - name: g
    interval: 1m
    query_offset: 5s
    rules:
      - {record: "job:load:sum", expr: sum by (job) (load) > 3, labels: {from: rule}}
      - {record: twice, expr: "job:load:sum * 2", into: other}
      - {record: steps, expr: (steps or vector(0)) + 1}
      - {alert: High, expr: load > 1}
      - {record: fails, expr: 'label_replace(load, "host", "", "", "")'}
)";

class BackfillTest : public ManagerTest {
 protected:
  // Series that come and go, with values of a seed.
  static void Fill(MemoryStore* store, uint32_t seed) {
    std::mt19937 random(seed);
    model::BatchBuilder rows;
    for (int64_t ms = kStart - 10 * kMinute; ms < kStart + 60 * kMinute; ms += 20'000) {
      for (const char* host : {"a", "b", "c"}) {
        // Some minutes without.
        if ((ms / (7 * kMinute) + host[0]) % 3 == 0) continue;
        rows.Row("load", {{"job", host[0] == 'c' ? "y" : "x"}, {"host", host}}, model::Timestamp::FromMs(ms))
            .Field("value", static_cast<double>(random() % 50) / 10);
      }
    }
    ASSERT_TRUE(store->Write("", rows.batch()).ok());
  }
  static ManagerDependencies Over(MemoryStore* store, Scheduler* scheduler, const Clock* clock) {
    return {.store = store, .sink = store, .scheduler = scheduler, .clock = clock, .execute = &engine::Execute};
  }
  // All rows of a database but of those that were written by Fill and of alerts, with the bits of their values.
  static std::map<std::string, uint64_t> Recorded(const MemoryStore& store, const std::string& database) {
    std::map<std::string, uint64_t> rows;
    const auto view = store.OpenView(database);
    if (!view.ok()) return rows;
    const auto refs = (*view)->Select({}, {});
    const auto cursor = (*view)->Scan(*refs, {});
    model::Column column;
    while (*cursor->Next(&column)) {
      model::LabelViews views;
      (*view)->LabelsOf(column.ref, &views);
      const std::string labels = model::ToString(model::ToLabels(views));
      if (labels.find("load{") == 0 || labels.find("\"load\"") != std::string::npos ||
          labels.find("ALERTS") != std::string::npos) {
        continue;
      }
      for (size_t i = 0; i < column.size(); ++i) {
        uint64_t bits = 0;
        std::memcpy(&bits, &column.floats[i], sizeof(bits));
        rows[labels + " " + std::to_string((column.times[i] / 1'000'000 - kStart) / 1000)] = bits;
      }
    }
    return rows;
  }
  static Group TheGroup() { return ParseRuleFile(kRules, "rules.yml")->front(); }
  Result<BackfillProgress> Fill(MemoryStore* store, BackfillRange range, std::stop_token stop = {}) {
    return Backfill(Over(store, &scheduler_, &clock_), OnStart(), TheGroup(), range, stop, [](const auto&) {});
  }
};

TEST_F(BackfillTest, IsWhatAServerWouldHaveRecorded) {
  for (const uint32_t seed : {1U, 2U, 3U}) {
    MemoryStore live;
    MemoryStore late;
    Fill(&live, seed);
    Fill(&late, seed);
    Manager manager(Over(&live, &scheduler_, &clock_), OnStart());
    clock_.Set(kStart * 1'000'000);
    manager.SetGroups(*ParseRuleFile(kRules, "rules.yml"));
    for (int i = 0; i <= 50; ++i) {
      clock_.Set((kStart + i * kMinute) * 1'000'000);
      manager.RunDue();
    }
    const auto done = Fill(&late, {.from_ms = kStart, .to_ms = kStart + 50 * kMinute, .rules = {}});
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(done->times_done, 51U);
    EXPECT_EQ(done->times_total, 51U);
    EXPECT_GT(done->failures, 0U) << "one rule fails where two series are the same";
    for (const char* database : {"", "other"}) {
      const auto expected = Recorded(live, database);
      EXPECT_GT(expected.size(), 40U) << database;
      EXPECT_EQ(Recorded(late, database), expected) << "seed " << seed << " database " << database;
    }
    bool stale = false;
    for (const auto& [row, bits] : Recorded(late, "other")) {
      double value = 0;
      std::memcpy(&value, &bits, sizeof(bits));
      stale = stale || model::IsStaleMarker(value);
    }
    EXPECT_TRUE(stale) << "a series has ended";
    EXPECT_EQ(done->rows_written, Recorded(late, "").size() + Recorded(late, "other").size());
    // Once more nothing is written.
    const auto again = Fill(&late, {.from_ms = kStart, .to_ms = kStart + 50 * kMinute, .rules = {"twice"}});
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->rows_written, 0U);
    EXPECT_EQ(again->rows_there, Recorded(late, "other").size());
  }
}

TEST_F(BackfillTest, RowsThatAreThereStay) {
  Fill(&store_, 1);
  model::BatchBuilder rows;
  rows.Row("steps", {}, model::Timestamp::FromMs(kStart + 2 * kMinute)).Field("value", 100.0);
  ASSERT_TRUE(store_.Write("", rows.batch()).ok());
  const auto done = Fill(&store_, {.from_ms = kStart, .to_ms = kStart + 4 * kMinute, .rules = {"steps"}});
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->rows_there, 1U);
  EXPECT_EQ(done->rows_written, 4U);
  const auto steps = Rows({{"__name__", "steps"}});
  EXPECT_EQ(steps.at(kStart + kMinute).first, 2);
  EXPECT_EQ(steps.at(kStart + 2 * kMinute).first, 100);
  EXPECT_EQ(steps.at(kStart + 3 * kMinute).first, 101) << "a rule that reads itself goes on from what is there";
}

// A server records at the same time: what comes while the back-fill runs is there too.
TEST_F(BackfillTest, RowsThatComeMeanwhileStay) {
  Fill(&store_, 1);
  const BackfillRange range{.from_ms = kStart, .to_ms = kStart + 9 * kMinute, .rules = {"steps"}};
  const auto done = Backfill(
      Over(&store_, &scheduler_, &clock_), OnStart(), TheGroup(), range, {}, [&](const BackfillProgress& progress) {
        if (progress.times_done != 4) return;
        model::BatchBuilder rows;
        rows.Row("steps", {}, model::Timestamp::FromMs(kStart + 6 * kMinute)).Field("value", 100.0);
        ASSERT_TRUE(store_.Write("", rows.batch()).ok());
      });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->rows_there, 1U);
  EXPECT_EQ(done->rows_written, 9U);
  const auto steps = Rows({{"__name__", "steps"}});
  EXPECT_EQ(steps.at(kStart + 5 * kMinute).first, 6);
  EXPECT_EQ(steps.at(kStart + 6 * kMinute).first, 100);
  EXPECT_EQ(steps.at(kStart + 7 * kMinute).first, 101);
}

TEST_F(BackfillTest, EndsWhenItIsCancelledAndGoesOnWhereItWas) {
  Fill(&store_, 1);
  std::stop_source source;
  const BackfillRange range{.from_ms = kStart, .to_ms = kStart + 9 * kMinute, .rules = {"steps"}};
  const auto cut = Backfill(Over(&store_, &scheduler_, &clock_), OnStart(), TheGroup(), range, source.get_token(),
                            [&](const BackfillProgress& progress) {
                              if (progress.times_done == 4) source.request_stop();
                            });
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(Rows({{"__name__", "steps"}}).size(), 4U);
  const auto rest = Fill(&store_, range);
  ASSERT_TRUE(rest.ok()) << rest.error().message;
  EXPECT_EQ(rest->rows_there, 4U);
  EXPECT_EQ(rest->rows_written, 6U);
  EXPECT_EQ(Rows({{"__name__", "steps"}}).at(kStart + 9 * kMinute).first, 10);
}

TEST_F(BackfillTest, EndsWhereTheStoreRefuses) {
  Fill(&store_, 1);
  store_.fail_with = MakeError(ErrorCode::kUnavailable, "read-only");
  const auto done = Fill(&store_, {.from_ms = kStart, .to_ms = kStart + kMinute, .rules = {"steps"}});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "rule \"steps\": read-only");
}

TEST_F(BackfillTest, SaysWhatCannotBeDone) {
  const auto fault = [](const BackfillRange& range) {
    const Status done = CheckBackfill(OnStart(), TheGroup(), range);
    return done.ok() ? std::string() : done.error().message;
  };
  EXPECT_EQ(fault({.from_ms = kStart, .to_ms = kStart, .rules = {}}), "");
  EXPECT_EQ(fault({.from_ms = kStart + 1, .to_ms = kStart, .rules = {}}), "the start is behind the end");
  EXPECT_EQ(fault({.from_ms = kStart + 1, .to_ms = kStart + 2, .rules = {}}),
            "no time at which the group is evaluated lies between start and end");
  EXPECT_EQ(fault({.from_ms = 0, .to_ms = kStart, .rules = {"High"}}), "no rule of the group g records High");
  EXPECT_EQ(fault({.from_ms = 0, .to_ms = kStart, .rules = {}}),
            "28333334 evaluations are too many for one back-fill: at most 10000000");
  // Year 1435, and behind all times.
  const std::string beyond = "points lie between 1677 and 2262";
  EXPECT_EQ(fault({.from_ms = -16'866'000'000'000, .to_ms = -16'865'999'000'000, .rules = {}}).substr(0, 32), beyond);
  EXPECT_EQ(fault({.from_ms = kStart, .to_ms = 9'223'372'036'855, .rules = {}}).substr(0, 32), beyond);
}

}  // namespace
}  // namespace tidemark::query::rules
