// Walls for names: databases, fields, series, by number and by the memory of the process.
#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <utility>

#include "storage/base/memory/budget.h"
#include "storage/base/memory/name_cost.h"
#include "store_fixture.h"

namespace tidemark::storage {
namespace {

using testing::HasSubstr;

constexpr int64_t kNow = 1'700'000'000'000'000'000;

class NameLimitsTest : public StoreFixture {
 protected:
  // The budget outlives the store.
  void TearDown() override { store_.reset(); }
  StoreOptions WithNames(uint64_t name_bytes) {
    budget_.SetLimit(LimitFor(name_bytes));
    StoreOptions options = Options();
    options.memory = &budget_;
    return options;
  }
  // A budget of which names may have so many bytes.
  static uint64_t LimitFor(uint64_t name_bytes) {
    return memory::kCachesFloorBytes + memory::kReserveBytes +
           name_bytes / memory::RowOf(memory::Class::kNames).share * 100;
  }
  // A row with one field; what is said of it when it is refused, else "".
  std::string Try(std::string_view host, std::string_view field, std::string_view database = {}) {
    model::BatchBuilder builder;
    builder.Row("cpu", {{"host", host}}, {kNow}).Field(field, 1.0);
    auto report = store_->Write(database, builder.batch());
    if (!report.ok()) return report.error().message;
    return report->rows_rejected == 0 ? "" : report->rejections[0].error.message;
  }

  memory::Budget budget_;
};

TEST_F(NameLimitsTest, FieldsBeyondTheLimitAreRefusedRowByRow) {
  StoreOptions options = Options();
  options.max_fields_per_database = 2;
  Open(options);
  EXPECT_EQ(Try("a", "one"), "");
  EXPECT_EQ(Try("a", "two"), "");
  EXPECT_THAT(Try("a", "three"), HasSubstr("max-fields-per-database limit exceeded: (2)"));
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "a"}}, {kNow + 1}).Field("three", 1.0);
  builder.Row("cpu", {{"host", "a"}}, {kNow + 1}).Field("two", 1.0);
  auto report = store_->Write("", builder.batch());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->rows_written, 1U);
  EXPECT_EQ(report->rows_rejected, 1U);
  EXPECT_EQ(Try("a", "one", "another"), "");
}

TEST_F(NameLimitsTest, DatabasesBeyondTheLimitAreNotMade) {
  StoreOptions options = Options();
  options.max_databases = 2;
  Open(options);
  EXPECT_EQ(Try("a", "v", "one"), "");
  EXPECT_EQ(Try("a", "v", "two"), "");
  EXPECT_THAT(Try("a", "v", "three"), HasSubstr("max-databases limit exceeded: (2)"));
  auto created = store_->CreateDatabase("three", {});
  ASSERT_FALSE(created.ok());
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Try("a", "v", "one"), "");
  ASSERT_TRUE(store_->DropDatabase("one").ok());
  EXPECT_EQ(Try("a", "v", "three"), "");
}

TEST_F(NameLimitsTest, MemoryIsAWallForNewSeriesAndNotForKnownOnes) {
  const StoreOptions options = WithNames(memory::kDatabaseBytes + 100 * memory::kSeriesBytes);
  Open(options);
  int taken = 0;
  std::string refusal;
  while (refusal.empty() && taken < 1'000) {
    refusal = Try("host" + std::to_string(taken), "v");
    if (refusal.empty()) ++taken;
  }
  EXPECT_GT(taken, 10);
  EXPECT_LT(taken, 100);
  EXPECT_THAT(refusal, HasSubstr("there is no memory for a new series"));
  EXPECT_THAT(refusal, HasSubstr("known series are taken"));
  EXPECT_EQ(store_->Stats().series, static_cast<uint64_t>(taken));
  EXPECT_EQ(Try("host0", "v"), "");
  EXPECT_THAT(Try("host0", "another"), HasSubstr("there is no memory for new fields"));
  EXPECT_THAT(Try("a", "v", "another"), HasSubstr("there is no memory for a new database"));
  // A series has many spellings: another one of a known series is no new name.
  model::BatchBuilder builder;
  builder.Row("cpu", {{"host", "host1"}}, {kNow + 1}).Field("v", 2.0);
  Write(builder.batch());
  // Names that are there come back whatever the budget says.
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  EXPECT_EQ(budget_.used_bytes(memory::Class::kNames), 0U);
  Open(options);
  EXPECT_EQ(store_->Stats().series, static_cast<uint64_t>(taken));
  EXPECT_THAT(Try("host-new", "v"), HasSubstr("there is no memory for a new series"));
  EXPECT_EQ(Try("host0", "v"), "");
}

TEST_F(NameLimitsTest, ADatabaseThatIsDroppedGivesItsNamesBack) {
  const StoreOptions options = WithNames(2 * memory::kDatabaseBytes + 100 * memory::kSeriesBytes);
  Open(options);
  EXPECT_EQ(Try("a", "v", "one"), "");
  const uint64_t one = budget_.used_bytes(memory::Class::kNames);
  EXPECT_GE(one, memory::kDatabaseBytes);
  ASSERT_TRUE(store_->DropDatabase("one").ok());
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(budget_.used_bytes(memory::Class::kNames), 0U);
}

TEST_F(NameLimitsTest, AReplayTakesTheNamesThatAreThere) {
  const StoreOptions options = WithNames(memory::kDatabaseBytes + 100 * memory::kSeriesBytes);
  Open(options);
  int taken = 0;
  while (Try("host" + std::to_string(taken), "v").empty() && taken < 1'000) ++taken;
  store_.reset();  // no checkpoint
  Open(options);
  EXPECT_EQ(store_->Stats().recovered_points, static_cast<uint64_t>(taken));
  EXPECT_EQ(store_->Stats().series, static_cast<uint64_t>(taken));
  EXPECT_EQ(Try("host0", "v"), "");
}

}  // namespace
}  // namespace tidemark::storage
