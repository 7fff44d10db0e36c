#include "storage/storage.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

using model::FieldValue;

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

class StoreTest : public StoreFixture {};

std::vector<double> Doubles(const std::vector<ReadRow>& rows) {
  std::vector<double> out;
  for (const ReadRow& row : rows) out.push_back(std::get<double>(row.value));
  return out;
}

TEST_F(StoreTest, AWriteIsVisibleToTheNextView) {
  Open();
  for (int i = 0; i < 10; ++i) WriteDouble("a", kNow + i * kSecond, i + 0.5);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})),
              testing::ElementsAre(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5));
}

TEST_F(StoreTest, AViewSeesNothingThatCameAfterIt) {
  Open();
  WriteDouble("a", kNow, 1);
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  WriteDouble("a", kNow + 1, 2);
  ASSERT_TRUE(store_->Checkpoint().ok());
  WriteDouble("a", kNow + 2, 3);
  EXPECT_THAT(Doubles(Read(**view, {Equal("host", "a")})), testing::ElementsAre(1));
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(1, 2, 3));
}

TEST_F(StoreTest, CheckpointAndReopenKeepEverything) {
  Open();
  for (int i = 0; i < 3; ++i) WriteDouble("a", kNow + i * kSecond, i);
  ASSERT_TRUE(store_->Checkpoint().ok());
  for (int i = 3; i < 6; ++i) WriteDouble("a", kNow + i * kSecond, i);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(0, 1, 2, 3, 4, 5));
  CloseAndOpen();
  EXPECT_EQ(store_->Stats().recovered_points, 0U);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST_F(StoreTest, WithoutCloseTheJournalBringsEverythingBack) {
  Open();
  WriteDouble("a", kNow, 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  WriteDouble("a", kNow + kSecond, 2);
  WriteDouble("b", kNow + kSecond, 3);
  Open();
  EXPECT_EQ(store_->Stats().recovered_points, 2U);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(1, 2));
  EXPECT_THAT(Doubles(Read({Equal("host", "b")})), testing::ElementsAre(3));
}

TEST_F(StoreTest, TheFirstWriteFixesTheTypeOfAField) {
  Open();
  WriteDouble("a", kNow, 1.5);
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {kNow + 1}).Field("usage", "text");
  builder.Row("cpu", {{"host", "a"}}, {kNow + 2}).Field("usage", 2.5);
  builder.Row("cpu", {{"host", "a"}}, {kNow + 3}).Field("usage", true).Field("other", 1.0);
  auto report = store_->Write("", builder.batch());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->rows_written, 1U);
  EXPECT_EQ(report->rows_rejected, 2U);
  ASSERT_EQ(report->rejections.size(), 2U);
  EXPECT_EQ(report->rejections[0].error.code, ErrorCode::kConflict);
  EXPECT_EQ(report->rejections[0].error.message,
            "field type conflict: input field \"usage\" on measurement \"cpu\" is type string, already exists as type "
            "float");
  EXPECT_THAT(Doubles(Read({Equal("__name__", "cpu_usage")})), testing::ElementsAre(1.5, 2.5));
}

TEST_F(StoreTest, IntegersSentToAFloatFieldBecomeFloats) {
  Open();
  WriteDouble("a", kNow, 0.5);
  const std::vector<int64_t> sent = {7, -7, (int64_t{1} << 53) - 1, int64_t{1} << 53,
                                     std::numeric_limits<int64_t>::min()};
  model::BatchBuilder builder;
  for (size_t i = 0; i < sent.size(); ++i) {
    builder.Row("cpu", {{"host", "a"}}, {kNow + 1 + static_cast<int64_t>(i)}).Field("usage", sent[i]);
  }
  Write(builder.batch());
  std::vector<double> expected = {0.5};
  for (const int64_t value : sent) expected.push_back(static_cast<double>(value));
  EXPECT_EQ(Doubles(Read({Equal("host", "a")})), expected);
  CloseAndOpen();
  EXPECT_EQ(Doubles(Read({Equal("host", "a")})), expected);
}

TEST_F(StoreTest, IntegersThatNoFloatIsEqualToAreRefused) {
  Open();
  WriteDouble("a", kNow, 0.5);
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {kNow + 1}).Field("usage", (int64_t{1} << 53) + 1);
  builder.Row("cpu", {{"host", "a"}}, {kNow + 2}).Field("usage", std::numeric_limits<int64_t>::max());
  builder.Row("cpu", {{"host", "a"}}, {kNow + 3}).Field("usage", std::numeric_limits<uint64_t>::max());
  builder.Row("cpu", {{"host", "a"}}, {kNow + 4}).Field("usage", int64_t{4});
  const auto report = store_->Write("", builder.batch());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->rows_rejected, 3U);
  EXPECT_EQ(Doubles(Read({Equal("host", "a")})), (std::vector<double>{0.5, 4}));
}

TEST_F(StoreTest, TimesOutsideTheRangeAreRefused) {
  Open();
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, model::Timestamp::Min()).Field("usage", 1.0);
  builder.Row("cpu", {{"host", "a"}}, {model::kMinTime.ns}).Field("usage", 2.0);
  builder.Row("cpu", {{"host", "a"}}, model::kMaxTime).Field("usage", 3.0);
  builder.Row("cpu", {{"host", "a"}}, model::Timestamp::Max()).Field("usage", 4.0);
  auto report = store_->Write("", builder.batch());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->rows_rejected, 2U);
  CloseAndOpen();
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(2, 3));
}

TEST_F(StoreTest, DatabasesComeAndGoForGood) {
  Open();
  EXPECT_FALSE(store_->OpenView("metrics").ok());
  DatabaseOptions options;
  options.partition_ns = 7 * kNsPerDay;
  ASSERT_TRUE(store_->CreateDatabase("metrics", options).ok());
  EXPECT_EQ(store_->CreateDatabase("metrics", options).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(store_->CreateDatabase("a/b", options).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->CreateDatabase("long", {.partition_ns = 1}).error().code, ErrorCode::kInvalidArgument);
  WriteDouble("a", kNow, 1, "metrics");
  WriteDouble("a", kNow, 2);
  CloseAndOpen();
  ASSERT_TRUE(store_->HasDatabase("metrics"));
  EXPECT_EQ(store_->Databases()[1].options, options);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")}, {}, "metrics")), testing::ElementsAre(1));
  // A row of it in the journal, and one on disk.
  WriteDouble("b", kNow, 3, "metrics");
  ASSERT_TRUE(store_->DropDatabase("metrics").ok());
  EXPECT_EQ(store_->DropDatabase("metrics").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(store_->HasDatabase("metrics"));
  Open();
  EXPECT_FALSE(store_->HasDatabase("metrics"));
  WriteDouble("c", kNow, 4, "metrics");
  EXPECT_THAT(Doubles(Read({}, {}, "metrics")), testing::ElementsAre(4));
  EXPECT_THAT(Doubles(Read({})), testing::ElementsAre(2));
}

TEST_F(StoreTest, UnknownDatabasesAreRefusedWhereThatIsConfigured) {
  StoreOptions options = Options();
  options.create_databases = false;
  Open(options);
  model::BatchBuilder builder;
  builder.Row("cpu", {}, {kNow}).Field("usage", 1.0);
  auto report = store_->Write("nowhere", builder.batch());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(report.error().message, "database not found: \"nowhere\"");
}

TEST_F(StoreTest, RetentionRefusesOldRowsAndDropsOldPartitions) {
  StoreOptions options = Options();
  options.new_database.partition_ns = kNsPerHour;
  Open(options);
  for (int hour = 0; hour < 6; ++hour) WriteDouble("a", kNow - hour * kNsPerHour, hour);
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(store_->Stats().partitions, 6U);
  const uint64_t disk = store_->Stats().disk_bytes;
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());

  options.new_database.retention_ns = 2 * kNsPerHour;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options.new_database).ok());
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {kNow - 3 * kNsPerHour}).Field("usage", 9.0);
  auto report = store_->Write("", builder.batch());
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->rows_rejected, 1U);
  EXPECT_EQ(report->rejections[0].error.message, "points beyond retention policy");

  auto dropped = store_->ApplyRetention();
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(*dropped, 3U);
  EXPECT_LT(store_->Stats().disk_bytes, disk);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(2, 1, 0));
  // The older view still has its files.
  EXPECT_THAT(Doubles(Read(**view, {Equal("host", "a")})), testing::ElementsAre(5, 4, 3, 2, 1, 0));
  view = store_->OpenView("");
  ASSERT_TRUE(store_->RunMaintenance().ok());
  CloseAndOpen();
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(2, 1, 0));
}

TEST_F(StoreTest, OfTwoChangesOfOptionsAtOnceBothAreInForce) {
  Open();
  ASSERT_TRUE(store_->CreateDatabase("d", {}).ok());
  constexpr int64_t kRounds = 200;
  const auto add = [this](int64_t DatabaseOptions::* member) {
    for (int64_t i = 0; i < kRounds; ++i) {
      const auto changed = store_->ChangeDatabaseOptions("d", [member](DatabaseOptions* options) -> Status {
        options->*member += kNsPerHour;
        return {};
      });
      ASSERT_TRUE(changed.ok()) << changed.error().message;
    }
  };
  const DatabaseOptions before = store_->Databases().front().options;
  {
    const std::jthread one(add, &DatabaseOptions::retention_ns);
    const std::jthread two(add, &DatabaseOptions::retention_ns);
    const std::jthread three(add, &DatabaseOptions::partition_ns);
  }
  const DatabaseOptions after = store_->Databases().front().options;
  EXPECT_EQ(after.retention_ns, before.retention_ns + 2 * kRounds * kNsPerHour);
  EXPECT_EQ(after.partition_ns, before.partition_ns + kRounds * kNsPerHour);
  const auto refused = store_->ChangeDatabaseOptions("d", [](DatabaseOptions* options) -> Status {
    options->retention_ns = 1;
    return InvalidArgument("not so");
  });
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "not so");
  EXPECT_EQ(store_->Databases().front().options.retention_ns, after.retention_ns);
  EXPECT_EQ(store_->ChangeDatabaseOptions("none", [](DatabaseOptions*) -> Status { return {}; }).error().code,
            ErrorCode::kNotFound);
}

TEST_F(StoreTest, CompactionLeavesOneEpochPerPartitionAndTheSameRows) {
  Open();
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 5; ++i) WriteDouble("a", kNow + i * kSecond, 10 * round + i);
    WriteDouble("b", kNow + round * kSecond, round);
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  EXPECT_EQ(store_->Stats().epochs, 4U);
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  uint64_t calls = 0;
  auto done = store_->Compact("", {}, [&](const CompactionProgress& progress) {
    ++calls;
    EXPECT_EQ(progress.partitions_total, 1U);
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(calls, 1U);
  EXPECT_GT(done->bytes_read, 0U);
  EXPECT_EQ(store_->Stats().epochs, 1U);
  EXPECT_THAT(Doubles(Read(**view, {Equal("host", "a")})), testing::ElementsAre(30, 31, 32, 33, 34));
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(30, 31, 32, 33, 34));
  EXPECT_THAT(Doubles(Read({Equal("host", "b")})), testing::ElementsAre(0, 1, 2, 3));
  // An overwrite after the fold wins over it.
  WriteDouble("a", kNow, 99);
  CloseAndOpen();
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(99, 31, 32, 33, 34));
}

TEST_F(StoreTest, MaintenanceFoldsThePartitionsWithTooManyEpochs) {
  StoreOptions options = Options();
  options.max_epochs = 4;
  Open(options);
  for (int round = 0; round < 40; ++round) {
    WriteDouble("a", kNow + round * kSecond, round);
    WriteDouble("b", kNow, round);
    ASSERT_TRUE(store_->Checkpoint().ok());
    ASSERT_TRUE(store_->RunMaintenance().ok());
    EXPECT_LE(store_->Stats().epochs, 4U);
  }
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 40U);
  EXPECT_THAT(Doubles(Read({Equal("host", "b")})), testing::ElementsAre(39));
}

TEST_F(StoreTest, CompactionStopsWhenAsked) {
  StoreOptions options = Options();
  options.new_database.partition_ns = kNsPerHour;
  options.small_epoch_bytes = StoreOptions().small_epoch_bytes;
  Open(options);
  // Small ones are done a thousand at a time.
  constexpr int kHours = 1100;
  for (int round = 0; round < 2; ++round) {
    model::BatchBuilder rows;
    for (int hour = 0; hour < kHours; ++hour) {
      rows.Row("cpu", {{"host", "a"}}, {kNow + hour * kNsPerHour}).Field("usage", static_cast<double>(round));
    }
    Write(rows.batch());
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  std::stop_source stop;
  auto done = store_->Compact("", stop.get_token(), [&](const CompactionProgress&) { stop.request_stop(); });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->partitions_done, 1024U);
  EXPECT_EQ(done->partitions_total, static_cast<uint64_t>(kHours));
  EXPECT_EQ(Doubles(Read({Equal("host", "a")})), std::vector<double>(kHours, 1));
}

TEST_F(StoreTest, ADamagedPageIsNamedAndTheRestIsRead) {
  StoreOptions options = Options();
  options.new_database.partition_ns = kNsPerHour;
  Open(options);
  for (int i = 0; i < 50; ++i) WriteDouble("a", kNow + i * i * kSecond, i);
  WriteDouble("a", kNow + 24 * kNsPerHour, 7);
  ASSERT_TRUE(store_->Close().ok());
  // The largest file is that of the first partition; its first block is its first page.
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(options.directory + "/rocksdb")) {
    if (entry.path().extension() != ".sst") continue;
    if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
  }
  ASSERT_FALSE(largest.empty());
  {
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    bytes[60] = static_cast<char>(bytes[60] ^ 4);
    file.seekp(0);
    file << bytes;
  }
  Open(options);
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  auto refs = (*view)->Select({}, {});
  ASSERT_TRUE(refs.ok());
  ASSERT_EQ(refs->size(), 1U);
  auto cursor = (*view)->Scan(*refs, {});
  model::Column column;
  auto more = cursor->Next(&column);
  ASSERT_TRUE(more.ok()) << more.error().message;
  ASSERT_EQ(column.size(), 1U);
  EXPECT_EQ(model::DoubleAt(column, 0), 7);
  ASSERT_EQ(cursor->warnings().size(), 1U);
  EXPECT_THAT(cursor->warnings()[0], testing::HasSubstr("page 1/"));
  EXPECT_GT(store_->Stats().corrupt_pages, 0U);
  // What cannot be read is not folded away; the other partition is.
  WriteDouble("a", kNow, 1);
  WriteDouble("a", kNow + 24 * kNsPerHour + 1, 8);
  const auto compacted = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(compacted.ok()) << compacted.error().message;
  ASSERT_EQ(compacted->left.size(), 1U);
  EXPECT_EQ(compacted->left[0].bounds.first.ns, kNow / kNsPerHour * kNsPerHour);
  EXPECT_EQ(store_->Stats().sealed_epochs, 1U);
  EXPECT_EQ(store_->Stats().partitions_left, 1U);
}

TEST_F(StoreTest, TiersAreTrustedOnlyWhereNothingElseIs) {
  Open();
  // Day 19,675 begins at this time; 10 s apart is dense enough for hours.
  const int64_t day = 1'699'920'000'000'000'000;
  model::BatchBuilder builder;
  for (int i = 1; i <= 6 * 360; ++i) {
    builder.Row("cpu", {{"host", "a"}}, {day + i * 10 * kSecond}).Field("busy", int64_t{i});
  }
  Write(builder.batch());
  ASSERT_TRUE(store_->Checkpoint().ok());
  const auto buckets = [&] {
    auto view = store_->OpenView("");
    auto refs = (*view)->Select({}, {});
    EXPECT_THAT((*view)->Tiers(), testing::ElementsAre(kNsPerHour, kNsPerDay));
    auto cursor = (*view)->ScanTier(*refs, {{day + 1}, {day + 6 * kNsPerHour}}, kNsPerHour);
    TierColumn column;
    auto more = cursor->Next(&column);
    EXPECT_TRUE(more.ok() && *more);
    EXPECT_EQ(column.buckets, 6U);
    EXPECT_EQ(column.first_start_ns, day);
    std::vector<int> out;
    for (size_t i = 0; i < column.buckets; ++i) {
      out.push_back(column.trusted[i]);
      if (column.trusted[i] == 0) continue;
      const auto first = static_cast<double>(360 * i + 1);
      EXPECT_EQ(column.count[i], 360U);
      EXPECT_EQ(column.first[i], first);
      EXPECT_EQ(column.last[i], first + 359);
      EXPECT_EQ(column.min[i], first);
      EXPECT_EQ(column.max[i], first + 359);
      EXPECT_EQ(column.sum[i], 360 * first + 359 * 180);
      EXPECT_EQ(column.increase[i], 359);
      EXPECT_TRUE(column.sum_exact);
    }
    EXPECT_TRUE(*cursor->Next(&column) == false);
    return out;
  };
  EXPECT_THAT(buckets(), testing::ElementsAre(1, 1, 1, 1, 1, 1));
  // One late row in the third hour: in a head, in a slab, in an epoch, folded.
  builder.Clear();
  builder.Row("cpu", {{"host", "a"}}, {day + 2 * kNsPerHour + 5 * kSecond}).Field("busy", int64_t{1});
  Write(builder.batch());
  EXPECT_THAT(buckets(), testing::ElementsAre(1, 1, 0, 1, 1, 1));
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_THAT(buckets(), testing::ElementsAre(1, 1, 0, 1, 1, 1));
}

TEST_F(StoreTest, AClosedStoreSaysSo) {
  Open();
  WriteDouble("a", kNow, 1);
  auto view = store_->OpenView("");
  ASSERT_TRUE(store_->Close().ok());
  ASSERT_TRUE(store_->Close().ok());
  model::BatchBuilder builder;
  builder.Row("cpu", {}, {kNow}).Field("usage", 1.0);
  EXPECT_EQ(store_->Write("", builder.batch()).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(store_->Checkpoint().error().code, ErrorCode::kUnavailable);
}

TEST_F(StoreTest, ASecondStoreCannotHaveTheDirectory) {
  Open();
  auto second = Store::Open(Options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable) << second.error().message;
}

TEST_F(StoreTest, WritesByIntervalSurviveAClose) {
  StoreOptions options = Options();
  options.new_database.sync_interval_ns = 100'000'000;
  Open(options);
  WriteDouble("a", kNow, 1);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(1));
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_GT(store_->Stats().journal_syncs, 0U);
  Open(options);
  EXPECT_THAT(Doubles(Read({Equal("host", "a")})), testing::ElementsAre(1));
}

TEST_F(StoreTest, BackgroundWorkMakesPagesByItself) {
  StoreOptions options = Options();
  options.background = true;
  options.staged_bytes = 1 << 20;
  Open(options);
  model::BatchBuilder builder;
  for (int i = 0; i < 400'000;) {
    builder.Clear();
    for (int end = i + 20'000; i < end; ++i) {
      builder.Row("cpu", {{"host", i % 2 == 0 ? "a" : "b"}}, {kNow + i * kSecond}).Field("usage", int64_t{i});
    }
    Write(builder.batch());
  }
  // Writers wait while more than twice the budget is staged, so pages were made while they wrote.
  EXPECT_GT(store_->Stats().slab_bytes, 0U);
  EXPECT_EQ(Read({Equal("host", "a")}).size(), 200'000U);
  ASSERT_TRUE(store_->Close().ok());
}

}  // namespace
}  // namespace tidemark::storage
