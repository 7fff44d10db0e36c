// When a backup is due, and what is refused.
#include "tools/server/backup/backup_schedule.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "storage/storage.h"
#include "tests/temp_directory.h"

namespace tidemark::server::backup {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kHour = 3'600'000'000'000;

TEST(BackupScheduleTest, TheFirstIsDueAtOnceAndTheNextAnIntervalLater) {
  EXPECT_EQ(DueNs(kHour, 0, 0, 100 * kHour), 0);
  EXPECT_EQ(DueNs(kHour, 5 * kHour, 0, 100 * kHour), 6 * kHour);
}

TEST(BackupScheduleTest, OneThatFailedIsTriedAgainBeforeAnInterval) {
  EXPECT_EQ(DueNs(kHour, 0, 5 * kHour, 100 * kHour), 5 * kHour + kHour / 10);
  EXPECT_EQ(DueNs(kHour, 2 * kHour, 5 * kHour, 100 * kHour), 5 * kHour + kHour / 10);
  // Of a day's interval an hour later, and never before it is due.
  EXPECT_EQ(DueNs(24 * kHour, 0, 5 * kHour, 100 * kHour), 6 * kHour);
  EXPECT_EQ(DueNs(24 * kHour, 2 * kHour, 3 * kHour, 100 * kHour), 26 * kHour);
}

TEST(BackupScheduleTest, AClockThatWasSetBackKeepsNoneFromBeingMade) {
  EXPECT_EQ(DueNs(kHour, 5 * kHour, 0, 4 * kHour), 0);
  EXPECT_EQ(DueNs(kHour, 5 * kHour, 4 * kHour, 4 * kHour), 4 * kHour + kHour / 10);
}

TEST(BackupMakerTest, AFolderInTheDataDirectoryIsRefused) {
  const TempDirectory directory;
  const std::string data = directory.path() + "/data";
  std::filesystem::create_directories(data);
  for (const std::string& bad : {data, data + "/", data + "/backups", directory.path() + "/x/../data/backups"}) {
    const auto checked = BackupMaker::Check({.directory = bad}, data);
    ASSERT_FALSE(checked.ok()) << bad;
    EXPECT_THAT(checked.error().message, HasSubstr("lies in the data directory"));
  }
  EXPECT_TRUE(BackupMaker::Check({.directory = directory.path() + "/data2"}, data).ok());
  EXPECT_TRUE(BackupMaker::Check({}, data).ok());
  EXPECT_FALSE(BackupMaker::Check({.directory = {}, .interval_ms = 1}, data).ok());
}

// A data directory that the first start has still to make is guarded too.
TEST(BackupMakerTest, ASlashBehindADataDirectoryThatIsNotThereYetChangesNothing) {
  const TempDirectory directory;
  const std::string data = directory.path() + "/none/data/";
  const auto checked = BackupMaker::Check({.directory = directory.path() + "/none/data/backups"}, data);
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("lies in the data directory"));
  EXPECT_FALSE(BackupMaker::Check({.directory = directory.path() + "/none/data"}, data).ok());
  EXPECT_TRUE(BackupMaker::Check({.directory = directory.path() + "/none/data2/"}, data).ok());
}

TEST(BackupMakerTest, APathThatLeadsNowhereIsNotBeside) {
  const TempDirectory directory;
  std::filesystem::create_symlink("loop", directory.path() + "/loop");
  const auto checked = BackupMaker::Check({.directory = directory.path() + "/loop/x"}, directory.path() + "/data");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, ErrorCode::kIo);
}

TEST(BackupMakerTest, CountsWhatWasMadeAndWhatFailed) {
  const TempDirectory directory;
  ManualClock clock{1'700'000'000'000'000'000};
  storage::StoreOptions options;
  options.directory = directory.path() + "/data";
  options.clock = &clock;
  options.background = false;
  auto store = storage::Store::Open(std::move(options));
  ASSERT_TRUE(store.ok()) << store.error().message;
  BackupMaker off(store->get(), &clock, {});
  EXPECT_THAT(off.Make({}, {}).error().message, HasSubstr("backup.directory"));
  BackupMaker maker(store->get(), &clock, {.directory = directory.path() + "/backups", .keep = 1});
  const auto made = maker.Make({}, {});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_TRUE((*store)->Close().ok());
  EXPECT_FALSE(maker.Make({}, {}).ok());
  const BackupMaker::Counters counters = maker.counters();
  EXPECT_EQ(counters.made, 1U);
  EXPECT_EQ(counters.failed, 1U);
  EXPECT_EQ(counters.last_made_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(counters.last_bytes, made->bytes);
  // The next server knows of it from its start on.
  const BackupMaker::Counters next =
      BackupMaker(nullptr, &clock, {.directory = directory.path() + "/backups"}).counters();
  EXPECT_EQ(next.made, 0U);
  EXPECT_EQ(next.last_made_ns, counters.last_made_ns);
  EXPECT_EQ(next.last_bytes, counters.last_bytes);
}

}  // namespace
}  // namespace tidemark::server::backup
