// Tiers that outlive raw rows, and tiers that are named when the rows are there already.
#include <map>
#include <ostream>
#include <utility>
#include <vector>

#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kDayStart = 1'699'920'000 * kSecond;  // a day begins

struct Bucket {
  uint64_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;
  double first = 0;
  double last = 0;
  double increase = 0;
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

void PrintTo(const Bucket& bucket, std::ostream* out) { *out << bucket.count << " rows, sum " << bucket.sum; }

class TierRetentionTest : public StoreFixture {
 protected:
  // Rows each 10 s, two days long, of one counter; then what is older than half a day is no more than tiers of 1 h and
  // 1 d, once retention is applied.
  void SetUp() override {
    clock_.Set(kDayStart + 2 * kNsPerDay);
    options_ = Options();
    options_.new_database.tiers = {{kNsPerHour, 10 * kNsPerDay}, {kNsPerDay, 30 * kNsPerDay}};
    Open(options_);
    ASSERT_TRUE(store_->CreateDatabase("default", options_.new_database).ok());
  }

  void WriteRows(int64_t first_ns, int64_t last_ns, const std::string& host = "a") {
    model::BatchBuilder builder;
    for (int64_t time = first_ns; time <= last_ns; time += 10 * kSecond) {
      // A counter that begins anew now and then, and does not compress to nothing.
      const int64_t number = (time - kDayStart) / (10 * kSecond);
      const int64_t value = number % 3000 * 50 + (number * 2'654'435'761) % 4099 % 50;
      builder.Row("m", {{"host", host}}, {time}).Field("v", value);
      rows_[host][time] = value;
    }
    Write(builder.batch());
  }
  model::WriteReport TryWrite(int64_t time_ns) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", "a"}}, {time_ns}).Field("v", int64_t{1});
    auto report = store_->Write("", builder.batch());
    EXPECT_TRUE(report.ok());
    return *report;
  }

  void SetRetention(int64_t retention_ns, std::vector<RollupTier> tiers) {
    DatabaseOptions options = store_->Databases()[0].options;
    options.retention_ns = retention_ns;
    options.tiers = std::move(tiers);
    ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  }
  void SetRetention(int64_t retention_ns) { SetRetention(retention_ns, store_->Databases()[0].options.tiers); }
  uint64_t Apply() {
    auto done = store_->ApplyRetention();
    EXPECT_TRUE(done.ok()) << done.error().message;
    return done.ok() ? *done : 0;
  }

  // By their ends; those that cannot be trusted or have no rows are left out.
  std::map<int64_t, Bucket> Buckets(int64_t width_ns, const std::string& host = "a") {
    auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    const std::vector<model::Matcher> matchers = {Equal("host", host)};
    auto refs = (*view)->Select(matchers, {});
    auto cursor = (*view)->ScanTier(*refs, {{kDayStart - 5 * kNsPerDay}, {kDayStart + 9 * kNsPerDay}}, width_ns);
    std::map<int64_t, Bucket> out;
    TierColumn column;
    EXPECT_TRUE(*cursor->Next(&column));
    for (size_t b = 0; b < column.buckets; ++b) {
      if (column.trusted[b] == 0 || column.count[b] == 0) continue;
      const int64_t end = column.first_start_ns + static_cast<int64_t>(b + 1) * width_ns;
      out[end] = {column.count[b],
                  column.sum[b],
                  column.min[b],
                  column.max[b],
                  column.first[b],
                  column.last[b],
                  column.increase != nullptr ? column.increase[b] : -1};
    }
    EXPECT_TRUE(cursor->Warnings().empty());
    return out;
  }
  // What the rows come to.
  std::map<int64_t, Bucket> Expected(int64_t width_ns, const std::string& host = "a") {
    std::map<int64_t, Bucket> out;
    std::map<int64_t, int64_t> last;
    for (const auto& [time, value] : rows_[host]) {
      const int64_t end = (time + width_ns - 1) / width_ns * width_ns;
      const auto number = static_cast<double>(value);
      Bucket& bucket = out[end];
      if (bucket.count++ == 0) {
        bucket = {1, 0, number, number, number, number, 0};
      } else {
        bucket.increase += value < last[end] ? number : number - bucket.last;
      }
      bucket.sum += number;
      bucket.min = std::min(bucket.min, number);
      bucket.max = std::max(bucket.max, number);
      bucket.last = number;
      last[end] = value;
    }
    return out;
  }
  size_t RawRows() { return Read({Equal("host", "a")}).size(); }

  StoreOptions options_;
  std::map<std::string, std::map<int64_t, int64_t>> rows_;
};

TEST_F(TierRetentionTest, TiersStayWhereRawRowsGo) {
  WriteRows(kDayStart, kDayStart + 2 * kNsPerDay - kSecond);
  ASSERT_TRUE(store_->Checkpoint().ok());
  const auto hours = Expected(kNsPerHour);
  const auto days = Expected(kNsPerDay);
  EXPECT_EQ(Buckets(kNsPerHour), hours);

  SetRetention(kNsPerDay + kNsPerDay / 2);
  auto plan = store_->PlanRetention("default", store_->Databases()[0].options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 0U);
  EXPECT_EQ(plan->partitions_reduced, 0U) << "half of the first day is kept";

  clock_.Advance(kNsPerDay + kNsPerDay / 2);
  plan = store_->PlanRetention("default", store_->Databases()[0].options);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->partitions, 0U);
  EXPECT_EQ(plan->partitions_reduced, 2U);
  EXPECT_GT(plan->reduced_bytes, 0U);
  const uint64_t bytes = store_->Stats().disk_bytes;
  EXPECT_EQ(Apply(), 2U);
  EXPECT_LT(store_->Stats().disk_bytes, bytes);
  EXPECT_EQ(RawRows(), 0U);
  EXPECT_EQ(Buckets(kNsPerHour), hours);
  EXPECT_EQ(Buckets(kNsPerDay), days);
  EXPECT_EQ(Apply(), 0U) << "nothing is left to do";

  auto view = store_->OpenView("");
  const auto gone = (*view)->RawGoneIn({{kDayStart + kNsPerHour}, {kDayStart + 9 * kNsPerDay}});
  ASSERT_TRUE(gone.has_value());
  EXPECT_EQ(gone->range.first.ns, kDayStart + kNsPerHour);
  EXPECT_EQ(gone->range.last.ns, kDayStart + 2 * kNsPerDay - 1);
  EXPECT_EQ(gone->widths_ns, (std::vector<int64_t>{kNsPerHour, kNsPerDay}));
  EXPECT_FALSE((*view)->RawGoneIn({{kDayStart + 2 * kNsPerDay}, {kDayStart + 9 * kNsPerDay}}).has_value());
  view = std::shared_ptr<const View>();

  CloseAndOpen();
  EXPECT_EQ(Buckets(kNsPerHour), hours);
  EXPECT_EQ(Buckets(kNsPerDay), days);

  // The tier of 1 h goes after ten days, the one of 1 d after thirty.
  clock_.Set(kDayStart + 11 * kNsPerDay + kSecond);
  EXPECT_EQ(Apply(), 1U);
  auto left = hours;
  std::erase_if(left, [](const auto& bucket) { return bucket.first <= kDayStart + kNsPerDay; });
  // The row on the border lies in the second partition, and its bucket began in the first one.
  EXPECT_EQ(Buckets(kNsPerHour).size(), left.size() + 1);
  EXPECT_EQ(Buckets(kNsPerDay), days);
  clock_.Set(kDayStart + 31 * kNsPerDay + kSecond);
  EXPECT_EQ(Apply(), 2U) << "one goes whole, one has a tier less";
  clock_.Set(kDayStart + 33 * kNsPerDay);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(store_->Stats().epochs, 0U);
  EXPECT_TRUE(Buckets(kNsPerDay).empty());
}

// A row that a float has corrected is an integer of the older field of the name: it must not be in a bucket of that.
class WidenedTierTest : public TierRetentionTest {
 protected:
  template <typename Value>
  void Put(int64_t time_ns, Value value) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", "a"}}, {time_ns}).Field("v", value);
    Write(builder.batch());
  }
  // The bucket of an hour of both fields, the older one first: rows and greatest value of each.
  std::vector<std::pair<uint64_t, double>> FirstHour() {
    auto view = store_->OpenView("");
    const std::vector<model::Matcher> matchers = {Equal("host", "a")};
    auto refs = (*view)->Select(matchers, {});
    EXPECT_EQ(refs->size(), 2U);
    auto cursor = (*view)->ScanTier(*refs, {{kDayStart}, {kDayStart + kNsPerHour}}, kNsPerHour);
    std::vector<std::pair<uint64_t, double>> out;
    for (TierColumn column; *cursor->Next(&column);) {
      for (size_t b = 0; b < column.buckets; ++b) {
        const int64_t start_ns = column.first_start_ns + static_cast<int64_t>(b) * kNsPerHour;
        if (start_ns == kDayStart && column.count[b] > 0) out.emplace_back(column.count[b], column.max[b]);
      }
    }
    return out;
  }
};

TEST_F(WidenedTierTest, ACorrectedIntegerIsInNoBucket) {
  for (int64_t row = 1; row <= 60; ++row) Put(kDayStart + row * kMinute, row == 7 ? int64_t{1'000'000} : row);
  Put(kDayStart + 7 * kMinute, 10.5);
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(FirstHour(), (std::vector<std::pair<uint64_t, double>>{{59, 60}, {1, 10.5}}));
}

TEST_F(WidenedTierTest, ACorrectionThatComesToWhatIsFoldedCountsToo) {
  for (int64_t row = 1; row <= 60; ++row) Put(kDayStart + row * kMinute, row == 7 ? int64_t{1'000'000} : row);
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().sealed_epochs, 1U);
  // One of an epoch of its own, and one that is in a head when the rows go.
  Put(kDayStart + 7 * kMinute, 10.5);
  ASSERT_TRUE(store_->Checkpoint().ok());
  Put(kDayStart + 60 * kMinute, -1.5);
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(FirstHour(), (std::vector<std::pair<uint64_t, double>>{{58, 59}, {2, 10.5}}));
  CloseAndOpen();
  EXPECT_EQ(FirstHour(), (std::vector<std::pair<uint64_t, double>>{{58, 59}, {2, 10.5}}));
}

TEST_F(WidenedTierTest, AnOlderFieldWithoutARowLeftHasNoBucket) {
  Put(kDayStart + kMinute, int64_t{5});
  Put(kDayStart + kMinute, 2.5);
  Put(kDayStart + kMinute, int64_t{4});
  ASSERT_TRUE(store_->Checkpoint().ok());
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  auto view = store_->OpenView("");
  const std::vector<model::Matcher> matchers = {Equal("host", "a")};
  EXPECT_EQ((*view)->Present(*(*view)->Select(matchers, {}), {}).size(), 1U);
  EXPECT_EQ(Buckets(kNsPerHour).size() + Buckets(kNsPerDay).size(), 0U) << "of the older field";
}

TEST_F(WidenedTierTest, ADeletedCorrectionTakesNothingAway) {
  Put(kDayStart + kMinute, int64_t{5});
  Put(kDayStart + 2 * kMinute, 2.5);
  DeleteRequest request;
  request.selectors = {{Equal("host", "a")}};
  request.range = {{kDayStart + 2 * kMinute}, {kDayStart + 3 * kMinute}};
  ASSERT_TRUE(store_->Delete("", request).ok());
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(Buckets(kNsPerHour).at(kDayStart + kNsPerHour).count, 1U);
}

TEST_F(TierRetentionTest, AViewKeepsItsRows) {
  WriteRows(kDayStart, kDayStart + kNsPerHour);
  ASSERT_TRUE(store_->Checkpoint().ok());
  auto view = store_->OpenView("");
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(Read(**view, {Equal("host", "a")}).size(), rows_["a"].size());
  EXPECT_EQ(RawRows(), 0U);
}

TEST_F(TierRetentionTest, RowsInHeadsAndSlabsAreCountedBeforeTheyGo) {
  WriteRows(kDayStart, kDayStart + kNsPerHour);
  ASSERT_TRUE(store_->Checkpoint().ok());
  WriteRows(kDayStart + kNsPerHour + 10 * kSecond, kDayStart + 3 * kNsPerHour);
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(Buckets(kNsPerHour), Expected(kNsPerHour));
  Open(options_);  // as after a kill: the journal is replayed
  EXPECT_EQ(RawRows(), 0U);
  EXPECT_EQ(Buckets(kNsPerHour), Expected(kNsPerHour));
}

TEST_F(TierRetentionTest, NothingIsWrittenWhereOnlyTiersAre) {
  WriteRows(kDayStart, kDayStart + kNsPerHour);
  ASSERT_TRUE(store_->Checkpoint().ok());
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(TryWrite(kDayStart + kNsPerHour).rows_rejected, 1U);
  // Neither when more is kept from now on, nor after a restart.
  SetRetention(0);
  for (int round = 0; round < 2; ++round) {
    const model::WriteReport report = TryWrite(kDayStart + 2 * kNsPerHour);
    EXPECT_EQ(report.rows_rejected, 1U);
    ASSERT_EQ(report.rejections.size(), 1U);
    EXPECT_NE(report.rejections[0].error.message.find("retention"), std::string::npos);
    CloseAndOpen();
  }
  EXPECT_EQ(TryWrite(kDayStart + kNsPerDay).rows_written, 1U);
  EXPECT_EQ(Buckets(kNsPerHour), Expected(kNsPerHour));
}

TEST_F(TierRetentionTest, ADeletionTakesBucketsWhole) {
  WriteRows(kDayStart, kDayStart + kNsPerDay - kSecond);
  WriteRows(kDayStart, kDayStart + kNsPerHour, "b");
  ASSERT_TRUE(store_->Checkpoint().ok());
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  const auto b = Buckets(kNsPerHour, "b");
  const auto whole = Expected(kNsPerDay);
  DeleteRequest request;
  request.selectors = {{Equal("host", "a")}};
  // A part of one hour.
  request.range = {{kDayStart + 5 * kNsPerHour + kMinute}, {kDayStart + 5 * kNsPerHour + 2 * kMinute}};
  request.dry_run = true;
  auto report = store_->Delete("", request);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->series, 1U);
  EXPECT_EQ(report->rows, 360U);
  request.dry_run = false;
  ASSERT_TRUE(store_->Delete("", request).ok());
  auto hours = Expected(kNsPerHour);
  const Bucket gone = hours[kDayStart + 6 * kNsPerHour];
  hours.erase(kDayStart + 6 * kNsPerHour);
  auto expected_day = whole.at(kDayStart + kNsPerDay);
  expected_day.count -= gone.count;
  expected_day.sum -= gone.sum;
  const auto check = [&](const char* when) {
    SCOPED_TRACE(when);
    EXPECT_EQ(Buckets(kNsPerHour), hours);
    const Bucket day = Buckets(kNsPerDay)[kDayStart + kNsPerDay];
    EXPECT_EQ(day.count, expected_day.count);
    EXPECT_EQ(day.sum, expected_day.sum);
    EXPECT_EQ(Buckets(kNsPerHour, "b"), b);
  };
  check("at once");
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  check("rewritten");
  CloseAndOpen();
  check("after a restart");
  // All of it.
  request.range = {};
  ASSERT_TRUE(store_->Delete("", request).ok());
  EXPECT_TRUE(Buckets(kNsPerHour).empty());
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  EXPECT_TRUE(Buckets(kNsPerHour).empty());
  EXPECT_EQ(Buckets(kNsPerHour, "b"), b);
}

TEST_F(TierRetentionTest, TheBucketOnTheBorderCountsWhatIsGone) {
  // A tier of two days, of which the second day is raw.
  constexpr int64_t kFirstDay = kDayStart + kNsPerDay;
  static_assert(kFirstDay % (2 * kNsPerDay) == 0);
  SetRetention(0, {{2 * kNsPerDay, 0}});
  WriteRows(kFirstDay, kFirstDay + kNsPerDay - kSecond);
  const auto gone = Expected(2 * kNsPerDay);
  WriteRows(kFirstDay + kNsPerDay, kFirstDay + 2 * kNsPerDay - kSecond);
  WriteRows(kFirstDay + kNsPerDay, kFirstDay + kNsPerDay + kNsPerHour, "b");
  ASSERT_TRUE(store_->Checkpoint().ok());
  clock_.Set(kFirstDay + 2 * kNsPerDay);
  SetRetention(kNsPerDay - kSecond);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(Buckets(2 * kNsPerDay), gone);
  EXPECT_TRUE(Buckets(2 * kNsPerDay, "b").empty()) << "none of its rows is gone";
  // Late rows in the raw half, in a head, then in an epoch of their own, change nothing.
  WriteRows(kFirstDay + kNsPerDay + 5 * kSecond, kFirstDay + kNsPerDay + kNsPerHour);
  EXPECT_EQ(Buckets(2 * kNsPerDay), gone);
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(Buckets(2 * kNsPerDay), gone);
}

TEST_F(TierRetentionTest, BytesTakeRawRowsBeforeTiers) {
  // None on the border, whose bucket counts only what is gone.
  WriteRows(kDayStart, kDayStart + kNsPerDay - kSecond);
  WriteRows(kDayStart + kNsPerDay + 10 * kSecond, kDayStart + 2 * kNsPerDay - kSecond);
  ASSERT_TRUE(store_->Checkpoint().ok());
  DatabaseOptions options = store_->Databases()[0].options;
  options.max_bytes = store_->Stats().disk_bytes - 1;
  ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(Buckets(kNsPerHour), Expected(kNsPerHour));
  EXPECT_EQ(TryWrite(kDayStart).rows_rejected, 1U);
  options.max_bytes = 1;
  ASSERT_TRUE(store_->SetDatabaseOptions("default", options).ok());
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(store_->Stats().partitions, 1U) << "the newest one stays";
}

TEST_F(TierRetentionTest, ATierThatIsNamedLaterIsAppliedToWhatIsThere) {
  SetRetention(0, {});
  WriteRows(kDayStart, kDayStart + kNsPerDay - kSecond);
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().sealed_epochs, 1U);
  EXPECT_TRUE(Buckets(5 * kMinute).empty());
  SetRetention(0, {{5 * kMinute, 0}});
  // In the background, once the partition is seen to be quiet.
  clock_.Advance(kNsPerHour);
  ASSERT_TRUE(store_->RunMaintenance().ok());
  clock_.Advance(options_.seal_quiet_ns + kSecond);
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_EQ(Buckets(5 * kMinute), Expected(5 * kMinute));
  EXPECT_EQ(store_->Stats().seals, 1U);
  clock_.Advance(kNsPerHour);
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_EQ(store_->Stats().seals, 1U) << "once";
  // Or by asking for it.
  SetRetention(0, {{5 * kMinute, 0}, {10 * kMinute, 0}});
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  EXPECT_EQ(Buckets(10 * kMinute), Expected(10 * kMinute));
  auto again = store_->Compact("default", {}, nullptr);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->partitions_total, 0U);
}

TEST_F(TierRetentionTest, APartitionWithoutNumbersDoesNotLackATier) {
  SetRetention(0, {{5 * kMinute, 0}});
  model::BatchBuilder builder;
  builder.Row("m", {{"host", "a"}}, {kDayStart}).Field("text", std::string("x"));
  Write(builder.batch());
  ASSERT_TRUE(store_->Compact("default", {}, nullptr).ok());
  auto again = store_->Compact("default", {}, nullptr);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->partitions_total, 0U);
  // Nothing of it is left in tiers.
  SetRetention(kNsPerHour);
  EXPECT_EQ(Apply(), 1U);
  EXPECT_EQ(store_->Stats().epochs, 0U);
}

}  // namespace
}  // namespace tidemark::storage
