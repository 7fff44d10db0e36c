#include "storage/storage.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace tidemark::storage
