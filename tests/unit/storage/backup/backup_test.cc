// Backups of a store, and stores made of them.
#include "storage/backup.h"

#include <gmock/gmock.h>
#include <rocksdb/file_system.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "storage/rocks/store_identity.h"
#include "storage/verify.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 1'700'000'000'000'000'000;

class BackupTest : public StoreFixture {
 protected:
  [[nodiscard]] std::string Folder() const { return directory_.path() + "/backups"; }
  [[nodiscard]] std::string Restored() const { return directory_.path() + "/restored"; }

  BackupInfo BackUp(uint32_t keep = 0) {
    auto made = store_->Backup({.directory = Folder(), .keep = keep});
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? *made : BackupInfo{};
  }
  void WriteHosts(int first, int last, int64_t at_ns) {
    for (int i = first; i < last; ++i) WriteDouble("h" + std::to_string(i), at_ns, i + 0.25);
  }
  // Of the restored store: how many hosts have a row, and whether verify finds it whole.
  size_t OpenRestored() {
    StoreOptions options = Options();
    options.directory = Restored();
    Open(options);
    size_t hosts = 0;
    auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    if (!view.ok()) return 0;
    const std::vector<model::Matcher> all{Equal("__name__", "cpu_usage")};
    auto refs = (*view)->Select(all, {});
    EXPECT_TRUE(refs.ok());
    for (const model::SeriesRef& ref : *refs) {
      const std::vector<model::SeriesRef> one{ref};
      auto cursor = (*view)->Scan(one, {});
      model::Column column;
      auto more = cursor->Next(&column);
      EXPECT_TRUE(more.ok() && *more);
      hosts += column.size() == 1 ? 1 : 0;
    }
    return hosts;
  }
  void FlipAByteOf(const fs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(path) / 2);
    file.seekg(middle);
    const char old = static_cast<char>(file.get());
    file.seekp(middle);
    file.put(static_cast<char>(old ^ 0x10));
  }
};

TEST_F(BackupTest, WhatWasAcknowledgedBeforeComesBack) {
  Open();
  WriteHosts(0, 20, kNow);
  ASSERT_TRUE(store_->Checkpoint().ok());
  WriteHosts(20, 30, kNow);  // in heads and journal only
  const std::vector<DocumentChange> change{
      {.kind = "dashboard", .name = "d", .bytes = "text", .author = "me", .expected = 0}};
  ASSERT_TRUE(store_->Documents()->Apply(change).ok());
  const BackupInfo made = BackUp();
  EXPECT_EQ(made.made_ns, kNow);
  EXPECT_GT(made.files, 0U);
  WriteHosts(30, 40, kNow);  // comes later, and is not in it
  store_.reset();

  const auto restored = RestoreBackup(Folder(), 0, Restored());
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ(restored->id, made.id);
  uint64_t damages = 0;
  VerifyOptions verify;
  verify.directory = Restored();
  verify.on_damage = [&](const Damage& damage) {
    ++damages;
    ADD_FAILURE() << damage.place << ": " << damage.what;
  };
  const auto verified = Verify(verify);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(damages, 0U);
  EXPECT_EQ(OpenRestored(), 30U);
  EXPECT_TRUE(store_->Findings().empty());
  const auto document = store_->Documents()->Get("dashboard", "d");
  ASSERT_TRUE(document.ok()) << document.error().message;
  EXPECT_EQ(document->bytes, "text");
  // It takes writes, and keeps them.
  WriteHosts(50, 60, kNow);
  ASSERT_TRUE(store_->Close().ok());
  EXPECT_EQ(OpenRestored(), 40U);
}

TEST_F(BackupTest, TheRestoredStoreIsAnother) {
  Open();
  WriteHosts(0, 1, kNow);
  const BackupInfo made = BackUp();
  ASSERT_TRUE(RestoreBackup(Folder(), 0, Restored()).ok());
  const auto identity = rocks::ReadIdentity(rocksdb::FileSystem::Default().get(), Restored());
  ASSERT_TRUE(identity.ok() && identity->has_value());
  EXPECT_NE((*identity)->id, made.store_id);
  EXPECT_EQ((*identity)->state, rocks::StoreIdentity::State::kReady);
  EXPECT_FALSE(fs::exists(Restored() + ".restoring"));
}

// The time that a store knew when its backup was made says nothing of the clock of whoever restores it later.
TEST_F(BackupTest, ARestoredStoreBelievesTheClock) {
  StoreOptions options = Options();
  options.boot_id = "one";
  Open(options);
  ASSERT_TRUE(store_->RunMaintenance().ok());
  BackUp();
  store_.reset();
  clock_.Advance(30 * kNsPerDay);
  ASSERT_TRUE(RestoreBackup(Folder(), 0, Restored()).ok());
  options.boot_id = "two";
  options.directory = Restored();
  Open(options);
  ASSERT_TRUE(store_->RunMaintenance().ok());
  EXPECT_TRUE(store_->Findings().empty()) << model::Describe(store_->Findings()[0]);
  EXPECT_FALSE(store_->ReadClock().jumped);
}

// Epochs come and go while the files are listed and copied: a backup must not name one that it does not have.
TEST_F(BackupTest, OnesBesideCheckpointsAndFoldsAreWhole) {
  Open();
  WriteHosts(0, 10, kNow);
  {
    std::jthread work([this](const std::stop_token& stop) {
      for (int i = 10; !stop.stop_requested(); ++i) {
        WriteHosts(i, i + 1, kNow);
        EXPECT_TRUE(store_->Checkpoint().ok());
        if (i % 3 == 0) {
          EXPECT_TRUE(store_->Compact("", {}, [](const CompactionProgress&) {}).ok());
        }
      }
    });
    for (int i = 0; i < 12; ++i) BackUp();
  }
  store_.reset();
  for (uint32_t id = 1; id <= 12; ++id) {
    const std::string place = Restored() + std::to_string(id);
    const auto restored = RestoreBackup(Folder(), id, place);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    VerifyOptions verify;
    verify.directory = place;
    verify.on_damage = [&](const Damage& damage) {
      ADD_FAILURE() << id << ": " << damage.place << ": " << damage.what;
    };
    EXPECT_TRUE(Verify(verify).ok());
  }
}

TEST_F(BackupTest, ASecondOneCopiesWhatIsNew) {
  StoreOptions options = Options();
  Open(options);
  model::BatchBuilder builder;
  for (int i = 0; i < 200'000; ++i) {
    builder.Row("cpu", {{"host", "a"}}, {kNow - i * kSecond})
        .Field("usage", static_cast<double>((i * 7919) % 100'003) * 0.37);
  }
  Write(builder.batch());
  const auto size_of = [](const fs::path& folder) {
    uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
  };
  const BackupInfo first = BackUp();
  const uint64_t once = size_of(Folder());
  ASSERT_GT(once, 200'000U);
  WriteHosts(0, 1, kNow);
  const BackupInfo second = BackUp();
  EXPECT_EQ(second.id, first.id + 1);
  EXPECT_LT(size_of(Folder()), once + once / 2);
  const auto list = ListBackups(Folder());
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[1].made_ns, second.made_ns);
  EXPECT_EQ((*list)[0].store_id, first.store_id);
  // The first one is still what it was.
  ASSERT_TRUE(RestoreBackup(Folder(), first.id, Restored()).ok());
  EXPECT_EQ(OpenRestored(), 0U);  // its only series has 200,000 rows
}

TEST_F(BackupTest, OldOnesGo) {
  Open();
  for (int i = 0; i < 4; ++i) {
    WriteHosts(i, i + 1, kNow);
    BackUp(2);
  }
  const auto list = ListBackups(Folder());
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].id, 3U);
  ASSERT_TRUE(RestoreBackup(Folder(), 4, Restored()).ok());
  EXPECT_EQ(OpenRestored(), 4U);
}

TEST_F(BackupTest, AFlippedBitIsFoundAndNothingIsRestored) {
  Open();
  WriteHosts(0, 50, kNow);
  BackUp();
  ASSERT_TRUE(VerifyBackup(Folder(), 0).ok());
  for (const char* kind : {"shared_checksum", "private"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(Folder()) / kind)) {
      if (!entry.is_regular_file() || entry.file_size() == 0) continue;
      FlipAByteOf(entry.path());
      const auto checked = VerifyBackup(Folder(), 0);
      ASSERT_FALSE(checked.ok()) << entry.path();
      EXPECT_EQ(checked.error().code, ErrorCode::kCorruption) << checked.error().message;
      const auto restored = RestoreBackup(Folder(), 0, Restored());
      EXPECT_FALSE(restored.ok()) << entry.path();
      EXPECT_FALSE(fs::exists(Restored()));
      FlipAByteOf(entry.path());
    }
  }
  EXPECT_TRUE(RestoreBackup(Folder(), 0, Restored()).ok());
}

TEST_F(BackupTest, ACutOrMissingFileIsFound) {
  Open();
  WriteHosts(0, 5, kNow);
  BackUp();
  WriteHosts(5, 6, kNow);
  BackUp();
  const fs::path folder = fs::path(Folder()) / "private" / "2";
  const fs::path victim = fs::directory_iterator(folder)->path();
  fs::remove(victim);
  // The newest is damaged: the one before it must not pass for it.
  const auto restored = RestoreBackup(Folder(), 0, Restored());
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().code, ErrorCode::kCorruption) << restored.error().message;
  EXPECT_THAT(restored.error().message, HasSubstr("backup 2"));
  EXPECT_TRUE(RestoreBackup(Folder(), 1, Restored()).ok());
}

TEST_F(BackupTest, NothingIsWrittenOver) {
  Open();
  WriteHosts(0, 1, kNow);
  BackUp();
  fs::create_directories(Restored());
  std::ofstream(Restored() + "/precious") << "x";
  const auto restored = RestoreBackup(Folder(), 0, Restored());
  ASSERT_FALSE(restored.ok());
  EXPECT_EQ(restored.error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(fs::exists(Restored() + "/precious"));
  EXPECT_EQ(RestoreBackup(Folder(), 0, "").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(ListBackups(directory_.path() + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(VerifyBackup(Folder(), 7).error().code, ErrorCode::kNotFound);
}

TEST_F(BackupTest, OneThatIsStoppedLeavesTheOthers) {
  Open();
  WriteHosts(0, 3, kNow);
  BackUp();
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = store_->Backup({.directory = Folder(), .stop = stop.get_token()});
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled) << stopped.error().message;
  const BackupInfo next = BackUp();
  const auto list = ListBackups(Folder());
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->size(), 2U);
  EXPECT_TRUE(VerifyBackup(Folder(), next.id).ok());
}

TEST_F(BackupTest, AClosedStoreMakesNone) {
  Open();
  ASSERT_TRUE(store_->Close().ok());
  const auto made = store_->Backup({.directory = Folder()});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace tidemark::storage
