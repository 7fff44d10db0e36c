// Deletions and retentions of the store, promise by promise.
#include <gmock/gmock.h>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = (1'700'000'000'000'000'000 / kNsPerDay) * kNsPerDay;

class StoreDeleteTest : public StoreFixture {
 protected:
  StoreDeleteTest() { clock_.Set(kStart + kNsPerDay); }

  // Rows every 10 s from `from` on, of values that do not compress, so that pages weigh more than their file.
  void WriteRows(std::string_view measurement, std::string_view host, int64_t from_ns, int rows) {
    model::BatchBuilder builder;
    for (int i = 0; i < rows; ++i) {
      builder.Row(measurement, {{"host", host}}, {from_ns + i * 10 * kSecond})
          .Field("usage", static_cast<double>(static_cast<uint32_t>(i) * 2654435761U % 1'000'003) * 0.01)
          .Field("text", std::string_view("some text"));
    }
    Write(builder.batch());
  }
  DeleteReport Delete(DeleteRequest request) {
    auto report = store_->Delete("", request);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : DeleteReport{};
  }
  size_t Rows(std::string_view metric, std::string_view host) {
    return Read({Equal("__name__", std::string(metric)), Equal("host", std::string(host))}).size();
  }
  void SetOptions(const DatabaseOptions& options) {
    auto set = store_->SetDatabaseOptions("", options);
    ASSERT_TRUE(set.ok()) << set.error().message;
  }
  static DatabaseOptions Debug(int64_t keep_ns) {
    DatabaseOptions options;
    options.selectors.push_back({{{model::MatchOp::kRegex, "__name__", "debug_.*"}}, keep_ns});
    return options;
  }
};

TEST_F(StoreDeleteTest, WhatIsWrittenAfterwardsIsSeen) {
  Open();
  WriteDouble("a", kStart, 1);
  Delete({.selectors = {{Equal("host", "a")}}});
  EXPECT_EQ(Rows("cpu_usage", "a"), 0U);
  WriteDouble("a", kStart, 2);
  ASSERT_EQ(Rows("cpu_usage", "a"), 1U);
  Open();  // a crash: both are in the journal only
  ASSERT_EQ(Rows("cpu_usage", "a"), 1U);
  EXPECT_EQ(Read({Equal("host", "a")})[0].value, model::FieldValue(2.0));
  CloseAndOpen();
  EXPECT_EQ(Rows("cpu_usage", "a"), 1U);
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  EXPECT_EQ(Rows("cpu_usage", "a"), 1U);
}

TEST_F(StoreDeleteTest, OnlyTheFieldsNamedGo) {
  Open();
  WriteRows("cpu", "a", kStart, 10);
  Delete({.selectors = {{Equal("host", "a")}}, .fields = {"text"}});
  EXPECT_EQ(Rows("cpu_usage", "a"), 10U);
  EXPECT_EQ(Rows("cpu_text", "a"), 0U);
}

TEST_F(StoreDeleteTest, BothEndsOfTheRangeGo) {
  Open();
  WriteRows("cpu", "a", kStart, 10);
  Delete(
      {.selectors = {{Equal("__name__", "cpu_usage")}}, .range = {{kStart + 20 * kSecond}, {kStart + 40 * kSecond}}});
  const auto rows = Read({Equal("__name__", "cpu_usage")});
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[1].time_ns, kStart + 10 * kSecond);
  EXPECT_EQ(rows[2].time_ns, kStart + 50 * kSecond);
  // An empty range deletes nothing.
  Delete({.selectors = {{Equal("__name__", "cpu_usage")}}, .range = {{2}, {1}}});
  EXPECT_EQ(Rows("cpu_usage", "a"), 7U);
}

TEST_F(StoreDeleteTest, RefusesWhatSaysNothingOrCannotBeRead) {
  Open();
  WriteDouble("a", kStart, 1);
  for (const DeleteRequest& request : {DeleteRequest{}, DeleteRequest{.selectors = {{}}},
                                       DeleteRequest{.selectors = {{{model::MatchOp::kRegex, "host", "("}}}}}) {
    auto report = store_->Delete("", request);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(store_->Delete("nope", {.selectors = {{Equal("host", "a")}}}).error().code, ErrorCode::kNotFound);
  DatabaseOptions options;
  options.selectors.push_back({{{model::MatchOp::kRegex, "host", "("}}, kNsPerDay});
  EXPECT_EQ(store_->SetDatabaseOptions("", options).error().code, ErrorCode::kInvalidArgument);
  options.selectors = {{{Equal("host", "a")}, 0}};
  EXPECT_EQ(store_->SetDatabaseOptions("", options).error().code, ErrorCode::kInvalidArgument);
  options.selectors = {{{}, kNsPerDay}};
  EXPECT_EQ(store_->SetDatabaseOptions("", options).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Rows("cpu_usage", "a"), 1U);
}

TEST_F(StoreDeleteTest, ADryRunSaysWhatTheDeletionDoes) {
  Open();
  WriteRows("cpu", "a", kStart, 1000);
  WriteRows("cpu", "b", kStart, 1000);
  const DeleteRequest half{.selectors = {{Equal("host", "a")}},
                           .range = {model::Timestamp::Min(), {kStart + 4999 * kSecond}},
                           .fields = {"usage"}};
  DeleteRequest dry = half;
  dry.dry_run = true;
  // In heads: exact, and nothing on disk yet.
  DeleteReport report = Delete(dry);
  EXPECT_EQ(report.series, 1U);
  EXPECT_EQ(report.rows, 500U);
  EXPECT_EQ(report.bytes, 0U);
  ASSERT_TRUE(store_->Checkpoint().ok());
  report = Delete(dry);
  EXPECT_EQ(report.series, 1U);
  EXPECT_NEAR(static_cast<double>(report.rows), 500, 5);
  EXPECT_GT(report.bytes, 0U);
  EXPECT_EQ(Rows("cpu_usage", "a"), 1000U);
  Delete(half);
  EXPECT_EQ(Rows("cpu_usage", "a"), 500U);
  EXPECT_EQ(Rows("cpu_text", "a"), 1000U);
}

TEST_F(StoreDeleteTest, CompactFreesTheSpaceAndForgetsTheDeletion) {
  Open();
  WriteRows("cpu", "a", kStart, 2000);
  WriteRows("cpu", "b", kStart, 2000);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const uint64_t before = store_->Stats().disk_bytes;
  Delete({.selectors = {{Equal("host", "a")}}});
  auto done = store_->Compact("default", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->partitions_done, 1U);
  EXPECT_LT(store_->Stats().disk_bytes, before);
  // Nothing is left to do.
  done = store_->Compact("default", {}, nullptr);
  EXPECT_EQ(done->partitions_total, 0U);
  Delete({.selectors = {{{model::MatchOp::kRegex, "host", ".+"}}}});
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  EXPECT_EQ(store_->Stats().epochs, 0U);
  EXPECT_EQ(store_->Stats().disk_bytes, 0U);
  CloseAndOpen();
  EXPECT_EQ(Rows("cpu_usage", "b"), 0U);
}

TEST_F(StoreDeleteTest, MaintenanceRewritesWhatIsWorthIt) {
  Open();
  for (int i = 0; i < 20; ++i) WriteRows("cpu", "h" + std::to_string(i), kStart, 500);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const uint64_t before = store_->Stats().disk_bytes;
  const auto maintain = [&] {
    clock_.Advance(61 * kSecond);
    ASSERT_TRUE(store_->RunMaintenance().ok());
  };
  Delete({.selectors = {{Equal("host", "h0")}}});
  maintain();
  EXPECT_EQ(store_->Stats().disk_bytes, before);  // a twentieth
  Delete({.selectors = {{{model::MatchOp::kRegex, "host", "h[1-5]"}}}});
  maintain();
  EXPECT_LT(store_->Stats().disk_bytes, before);
  EXPECT_EQ(Rows("cpu_usage", "h3"), 0U);
  EXPECT_EQ(Rows("cpu_usage", "h13"), 500U);
}

TEST_F(StoreDeleteTest, AViewKeepsItsPicture) {
  Open();
  WriteRows("cpu", "a", kStart, 100);
  ASSERT_TRUE(store_->Checkpoint().ok());
  WriteRows("cpu", "a", kStart + 2000 * kSecond, 100);
  const auto view = store_->OpenView("").value();
  const auto rows = [&] { return Read(*view, {Equal("__name__", "cpu_usage")}).size(); };
  Delete({.selectors = {{Equal("host", "a")}}});
  EXPECT_EQ(rows(), 200U);
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  EXPECT_EQ(rows(), 200U);
  DatabaseOptions options;
  options.retention_ns = kNsPerDay;
  SetOptions(options);
  clock_.Advance(10 * kNsPerDay);
  ASSERT_TRUE(store_->ApplyRetention().ok());
  EXPECT_EQ(rows(), 200U);
  EXPECT_EQ(Rows("cpu_usage", "a"), 0U);
}

TEST_F(StoreDeleteTest, ASelectorHidesAsTheClockMoves) {
  Open();
  WriteRows("debug", "a", kStart, 100);
  WriteRows("cpu", "a", kStart, 100);
  SetOptions(Debug(kNsPerDay));
  EXPECT_EQ(Rows("debug_usage", "a"), 100U);
  clock_.Advance(500 * kSecond);
  const auto view = store_->OpenView("").value();
  EXPECT_EQ(Rows("debug_usage", "a"), 50U);
  clock_.Advance(100 * kSecond);
  EXPECT_EQ(Rows("debug_usage", "a"), 40U);
  EXPECT_EQ(Rows("cpu_usage", "a"), 100U);
  EXPECT_EQ(Read(*view, {Equal("__name__", "debug_usage")}).size(), 50U);
  // A series that comes later is seen by the selector too.
  WriteRows("debug", "b", kStart + 600 * kSecond, 40);
  clock_.Advance(100 * kSecond);
  EXPECT_EQ(Rows("debug_usage", "b"), 30U);
  clock_.Set(kStart + kNsPerDay + 600 * kSecond);
  CloseAndOpen();
  EXPECT_EQ(Rows("debug_usage", "a"), 40U);
  EXPECT_EQ(store_->Databases()[0].options, Debug(kNsPerDay));
}

TEST_F(StoreDeleteTest, WhatASelectorHidesIsRewrittenAway) {
  Open();
  WriteRows("debug", "a", kStart, 2000);
  WriteRows("cpu", "a", kStart, 2000);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const uint64_t before = store_->Stats().disk_bytes;
  clock_.Advance(kNsPerDay);
  auto plan = store_->PlanRetention("", Debug(kNsPerDay));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 0U);
  EXPECT_EQ(plan->selected.series, 2U);
  EXPECT_EQ(plan->selected.rows, 4000U);
  EXPECT_GT(plan->selected.bytes, 0U);
  EXPECT_EQ(Rows("debug_usage", "a"), 2000U);
  SetOptions(Debug(kNsPerDay));
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_LT(store_->Stats().disk_bytes, before);
  EXPECT_EQ(store_->PlanRetention("", Debug(kNsPerDay))->selected.rows, 0U);
  EXPECT_EQ(Rows("cpu_usage", "a"), 2000U);
}

TEST_F(StoreDeleteTest, TheOldestPartitionsGoWhenThereAreTooManyBytes) {
  Open();
  for (int day = 0; day < 4; ++day) WriteRows("cpu", "a", kStart + day * kNsPerDay, 1000);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const uint64_t bytes = store_->Stats().disk_bytes;
  DatabaseOptions options;
  options.max_bytes = bytes * 5 / 8;
  const auto plan = store_->PlanRetention("", options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 2U);
  EXPECT_NEAR(static_cast<double>(plan->partition_bytes), static_cast<double>(bytes) / 2,
              static_cast<double>(bytes) / 8);
  SetOptions(options);
  EXPECT_EQ(store_->ApplyRetention().value(), 2U);
  EXPECT_LE(store_->Stats().disk_bytes, options.max_bytes);
  const auto rows = Read({Equal("__name__", "cpu_usage")});
  ASSERT_EQ(rows.size(), 2000U);
  EXPECT_EQ(rows[0].time_ns, kStart + 2 * kNsPerDay);
  // The newest stays, however small the limit.
  options.max_bytes = 1;
  SetOptions(options);
  EXPECT_EQ(store_->ApplyRetention().value(), 1U);
  EXPECT_EQ(Rows("cpu_usage", "a"), 1000U);
}

// Before anything is checkpointed, rows that a retention lets go are in memory only: the plan has them all the same,
// and says by when they will be gone.
TEST_F(StoreDeleteTest, APlanCountsRowsInMemoryAndSaysWhenTheyAreGone) {
  Open();
  WriteRows("cpu", "a", kStart, 720);  // two hours, of two fields
  clock_.Set(kStart + 2 * kNsPerHour);
  DatabaseOptions options = store_->Databases()[0].options;
  options.retention_ns = kNsPerHour;
  auto plan = store_->PlanRetention("", options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 0U);
  EXPECT_EQ(plan->expired, (RetentionReport::Expired{.rows = 720, .staged_rows = 720, .bytes = 0}));
  EXPECT_GT(plan->gone_by_ns, kStart + 2 * kNsPerHour);

  ASSERT_TRUE(store_->Checkpoint().ok());
  plan = store_->PlanRetention("", options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->expired.staged_rows, 0U);
  EXPECT_NEAR(static_cast<double>(plan->expired.rows), 720, 8);
  EXPECT_GT(plan->expired.bytes, 0U);
  // What is promised is kept: that partition's end and an hour, and some time for background work.
  EXPECT_GE(plan->gone_by_ns, kStart + kNsPerDay + kNsPerHour);
  EXPECT_LE(plan->gone_by_ns, kStart + kNsPerDay + kNsPerHour + 300 * kSecond);
  SetOptions(options);
  clock_.Set(plan->gone_by_ns);
  EXPECT_EQ(store_->ApplyRetention().value(), 1U);
  plan = store_->PlanRetention("", options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->expired, RetentionReport::Expired{});
  EXPECT_EQ(plan->gone_by_ns, 0);

  options.retention_ns = 0;
  SetOptions(options);
  WriteRows("cpu", "a", kStart, 10);
  plan = store_->PlanRetention("", options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->expired.rows, 0U) << "everything is kept";
}

TEST_F(StoreDeleteTest, ADroppedDatabaseTakesItsDeletionsAlong) {
  Open();
  WriteDouble("a", kStart, 1, "other");
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_TRUE(store_->Delete("other", {.selectors = {{Equal("host", "a")}}}).ok());
  ASSERT_TRUE(store_->Checkpoint().ok());
  ASSERT_TRUE(store_->DropDatabase("other").ok());
  WriteDouble("a", kStart, 2, "other");
  CloseAndOpen();
  EXPECT_EQ(Read({Equal("host", "a")}, {}, "other").size(), 1U);
}

}  // namespace
}  // namespace tidemark::storage
