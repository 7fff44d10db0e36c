// A view, and a query over it, answers as of the moment it was opened, whatever is folded, sealed, dropped, deleted or
// overwritten between two columns of it, files included.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "disturbed_view.h"
#include "query/engine/engine.h"
#include "query/promql/parser.h"
#include "row_model.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::fault {
namespace {

using storage::kNsPerHour;
using storage::Store;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStart = 1'699'999'200'000'000'000;  // an hour begins
const std::vector<std::string> kHosts = {"a", "b", "c"};

struct Job {
  std::string name;
  std::function<Result<void>(Store&, ManualClock&)> run;
  // What a new view shows afterwards.
  std::function<void(RowModel*)> effect = nullptr;
  std::function<bool(const storage::StoreStats&)> done = nullptr;
};

Result<void> Ignore(const auto& result) {
  if (!result.ok()) return result.error();
  return {};
}

std::vector<Job> Jobs() {
  const auto overwrites = [] {
    std::vector<RowRun> runs;
    for (const std::string& host : kHosts) {
      runs.push_back(
          {.host = host, .first_ns = kStart, .count = 3 * 360 - 2, .step_ns = 10 * kSecond, .value = 1'000'000});
    }
    return runs;
  };
  return {
      {"Checkpoint", [](Store& store, ManualClock&) { return store.Checkpoint(); }},
      {"Fold", [](Store& store, ManualClock&) { return store.RunMaintenance(); }, nullptr,
       [](const storage::StoreStats& stats) { return stats.epochs < 9; }},
      {"Seal",
       [](Store& store, ManualClock& clock) -> Result<void> {
         for (int look = 0; look < 6; ++look) {
           TM_RETURN_IF_ERROR(store.RunMaintenance());
           clock.Advance(kNsPerHour);
         }
         return store.RunMaintenance();
       },
       nullptr, [](const storage::StoreStats& stats) { return stats.seals >= 3; }},
      {"Compact", [](Store& store, ManualClock&) { return Ignore(store.Compact("", {}, nullptr)); }, nullptr,
       [](const storage::StoreStats& stats) { return stats.sealed_epochs == stats.epochs; }},
      {"Merge",
       [](Store& store, ManualClock& clock) -> Result<void> {
         clock.Advance(24 * kNsPerHour);
         return Ignore(store.Compact("", {}, nullptr));
       },
       nullptr, [](const storage::StoreStats& stats) { return stats.merges > 0 && stats.partitions < 3; }},
      {"Retention",
       [](Store& store, ManualClock& clock) -> Result<void> {
         storage::DatabaseOptions options = store.Databases()[0].options;
         options.retention_ns = clock.NowNs() - (kStart + 2 * kNsPerHour);
         TM_RETURN_IF_ERROR(store.SetDatabaseOptions("", options));
         return Ignore(store.ApplyRetention());
       },
       [](RowModel* model) { Erase(model, "default", "", INT64_MIN, kStart + 2 * kNsPerHour - 1); }},
      {"SelectorRetention",
       [](Store& store, ManualClock& clock) -> Result<void> {
         storage::DatabaseOptions options = store.Databases()[0].options;
         options.selectors.push_back({{{model::MatchOp::kEqual, "host", "b"}}, kNsPerHour});
         TM_RETURN_IF_ERROR(store.SetDatabaseOptions("", options));
         clock.Advance(5 * kNsPerHour);
         return store.RunMaintenance();
       },
       [](RowModel* model) { Erase(model, "default", "b", INT64_MIN, INT64_MAX); }},
      {"Delete",
       [](Store& store, ManualClock&) -> Result<void> {
         storage::DeleteRequest request;
         request.selectors.push_back({{model::MatchOp::kNotEqual, "host", "c"}});
         TM_RETURN_IF_ERROR(Ignore(store.Delete("", request)));
         return Ignore(store.Compact("", {}, nullptr));
       },
       [](RowModel* model) {
         Erase(model, "default", "a", INT64_MIN, INT64_MAX);
         Erase(model, "default", "b", INT64_MIN, INT64_MAX);
       }},
      {"Overwrite",
       [=](Store& store, ManualClock&) -> Result<void> {
         for (const RowRun& run : overwrites()) TM_RETURN_IF_ERROR(WriteRun(store, run));
         return Ignore(store.Compact("", {}, nullptr));
       },
       [=](RowModel* model) {
         for (const RowRun& run : overwrites()) AddRun(run, model);
       }},
      {"DropDatabase", [](Store& store, ManualClock&) { return store.DropDatabase("default"); },
       [](RowModel* model) { model->clear(); }},
  };
}

class JobsAcrossViewsTest : public storage::StoreFixture {
 protected:
  // Three hours of three hosts: several epochs for each hour, a slab and a head.
  void Fill() {
    model_.clear();
    clock_.Set(kStart + 3 * kNsPerHour);
    storage::StoreOptions options = Options();
    options.directory = fmt::format("{}/data{}", directory_.path(), ++directories_);
    options.new_database.partition_ns = kNsPerHour;
    options.new_database.tiers = {{.width_ns = 300 * kSecond}};
    options.max_epochs = 2;
    options.staged_bytes = 1;
    options.seal_grace_ns = kNsPerHour;
    options.seal_quiet_ns = 60 * kSecond;
    Open(options);
    for (int64_t round = 0; round < 3; ++round) {
      for (const std::string& host : kHosts) {
        Put({.host = host,
             .first_ns = kStart + round * 7 * kSecond,
             .count = 3 * 360 - 2,
             .step_ns = 10 * kSecond,
             .value = 100 * round});
      }
      ASSERT_TRUE(store_->Checkpoint().ok());
    }
    ASSERT_EQ(store_->Stats().epochs, 9U);
    Put({.host = "b", .first_ns = kStart + 2 * kNsPerHour, .count = 200, .value = 5});
    Put({.host = "c", .first_ns = kStart, .count = 50, .value = 9});
  }
  void Put(const RowRun& run) {
    auto written = WriteRun(*store_, run);
    ASSERT_TRUE(written.ok()) << written.error().message;
    AddRun(run, &model_);
  }
  // Does the job, and everything that might take files away afterwards.
  void Disturb(const Job& job) {
    auto done = job.run(*store_, clock_);
    ASSERT_TRUE(done.ok()) << job.name << ": " << done.error().message;
    if (job.done) {
      EXPECT_TRUE(job.done(store_->Stats())) << job.name;
    }
    ASSERT_TRUE(store_->RunMaintenance().ok());
    ASSERT_TRUE(store_->Checkpoint().ok());
    RowModel after = model_;
    if (job.effect) job.effect(&after);
    auto found = ReadAll(*store_);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(Difference(after, *found), "") << job.name;
  }
  std::shared_ptr<const storage::View> View() { return store_->OpenView("").value(); }

  RowModel model_;
  int directories_ = 0;
};

TEST_F(JobsAcrossViewsTest, AScanGivesWhatThereWasWhenItBegan) {
  for (const Job& job : Jobs()) {
    for (const uint64_t column : {0, 1, 4, 9}) {
      SCOPED_TRACE(fmt::format("{} before column {}", job.name, column));
      ASSERT_NO_FATAL_FAILURE(Fill());
      const DisturbedView view(View(), column, [&] { Disturb(job); });
      RowModel found;
      auto read = ReadView(view, "default", &found);
      ASSERT_TRUE(read.ok()) << read.error().message;
      ASSERT_TRUE(view.disturbed());
      EXPECT_EQ(Difference(model_, found), "");
      // Also what it has not read until now.
      RowModel again;
      read = ReadView(view, "default", &again);
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_EQ(Difference(model_, again), "");
    }
  }
}

// One line for each row of the answer.
std::string Answer(const query::run::QueryResult& result) {
  std::string out;
  for (size_t row = 0; row < result.frame.size(); ++row) {
    for (size_t step = 0; step < result.frame.steps; ++step) {
      out += result.frame.RowPresent(row)[step] == 0 ? " -" : fmt::format(" {:a}", result.frame.RowValues(row)[step]);
    }
    out += "\n";
  }
  for (const std::string& warning : result.warnings) out += warning + "\n";
  return out;
}

TEST_F(JobsAcrossViewsTest, AQueryGivesTheAnswerOfTheMomentItBegan) {
  using query::run::Resolution;
  const query::run::RangeSpec range{
      .start_ms = kStart / kMs, .end_ms = (kStart + 3 * kNsPerHour) / kMs, .step_ms = 600'000};
  const std::vector<std::string> queries = {
      "sum by (host) (sum_over_time(m_v[30m]))",
      "max_over_time(m_v[1h]) - on (host) min_over_time(m_v[10m])",
      "avg(rate(m_v[5m])) + count(m_v offset 1h)",
  };
  const auto ask = [&](const std::shared_ptr<const storage::View>& view, const std::string& text,
                       Resolution::Kind kind) {
    auto expr = query::promql::Parse(text);
    EXPECT_TRUE(expr.ok()) << expr.error().message;
    auto result = query::engine::Execute(
        **expr, range, {.view = view, .resolution = {.kind = kind, .tier_ns = 300 * kSecond}, .text = text});
    EXPECT_TRUE(result.ok()) << result.error().message;
    return result.ok() ? Answer(*result) : std::string();
  };
  for (const Job& job : Jobs()) {
    for (const std::string& text : queries) {
      for (const Resolution::Kind kind : {Resolution::Kind::kRaw, Resolution::Kind::kAuto}) {
        SCOPED_TRACE(fmt::format("{}, {}, resolution {}", job.name, text, static_cast<int>(kind)));
        ASSERT_NO_FATAL_FAILURE(Fill());
        const std::string expected = ask(View(), text, kind);
        ASSERT_NE(expected, "");
        const auto view = std::make_shared<DisturbedView>(View(), 1, [&] { Disturb(job); });
        EXPECT_EQ(ask(view, text, kind), expected);
        EXPECT_TRUE(view->disturbed());
      }
    }
  }
}

}  // namespace
}  // namespace tidemark::fault
