#include "storage/rocks/store_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "storage/rocks/lock_holder.h"
#include "storage/rocks/private_file_system.h"
#include "storage/rocks/rocks_store.h"
#include "tests/temp_directory.h"

namespace tidemark::storage::rocks {
namespace {

namespace fs = std::filesystem;

std::string Refusal(const std::string& directory) {
  const auto taken = StoreLock::TakeNew(directory);
  EXPECT_FALSE(taken.ok());
  return taken.ok() ? "" : taken.error().message;
}

TEST(StoreLockTest, ItSaysWhoHasIt) {
  const TempDirectory directory;
  const auto lock = StoreLock::TakeNew(directory.path());
  ASSERT_TRUE(lock.ok());
  ASSERT_TRUE((*lock)->Announce("http://127.0.0.1:8428").ok());
  EXPECT_EQ(Refusal(directory.path()), fmt::format("{} is in use by process {} (http://127.0.0.1:8428): stop it first",
                                                   directory.path(), ::getpid()));
}

// As when a store is served read-only where another process wrote before: its number may be somebody else's by now.
TEST(StoreLockTest, AnOldNoteIsNotBelieved) {
  const TempDirectory directory;
  std::ofstream(directory.path() + "/LOCK") << "pid 1\naddress http://127.0.0.1:1\n";
  const auto lock = StoreLock::TakeNew(directory.path());
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(Refusal(directory.path()),
            fmt::format("{} is in use by process {}: stop it first", directory.path(), ::getpid()));
}

TEST(StoreLockTest, TheHolderIsReadFromTheTableOfLocks) {
  const TempDirectory directory;
  struct stat file{};
  ASSERT_EQ(::stat(directory.path().c_str(), &file), 0);
  const std::string id = fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  const std::string other = "1: POSIX  ADVISORY  WRITE 11 00:01:1 0 EOF\n";
  EXPECT_EQ(LockHolder(directory.path(), other), std::nullopt);
  EXPECT_EQ(LockHolder(directory.path(), other + "2: FLOCK  ADVISORY  WRITE 12 " + id + " 0 EOF\n"), 12);
  EXPECT_EQ(LockHolder(directory.path(), "2: -> FLOCK  ADVISORY  WRITE 13 " + id + " 0 EOF\n" +
                                             "2: FLOCK  ADVISORY  WRITE 12 " + id + " 0 EOF"),
            12)
      << "one waits for it";
  EXPECT_EQ(LockHolder(directory.path(), "2: FLOCK  ADVISORY  WRITE -1 " + id + " 0 EOF\n"), std::nullopt)
      << "of another container";
  EXPECT_EQ(LockHolder(directory.path() + "/none", other), std::nullopt);
}

TEST(StoreLockTest, RocksDbSaysWhoHasItToo) {
  const TempDirectory directory;
  const auto open = [&] {
    return RocksStore::Open({.directory = directory.path(),
                             .file_system = nullptr,
                             .cache_bytes = 1 << 20,
                             .create = true,
                             .on_error = {}});
  };
  const auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message,
            fmt::format("opening RocksDB in {}: process {} has it open: stop it first", directory.path(), ::getpid()));
}

TEST(PrivateFileSystemTest, WhatIsMadeIsItsOwnersWhicheverUmask) {
  const TempDirectory directory;
  const auto files = std::make_shared<PrivateFileSystem>(rocksdb::FileSystem::Default());
  const mode_t before = ::umask(0);
  {
    const auto store = RocksStore::Open({.directory = directory.path() + "/rocksdb",
                                         .file_system = files,
                                         .cache_bytes = 1 << 20,
                                         .create = true,
                                         .on_error = {}});
    ASSERT_TRUE(store.ok()) << store.error().message;
    RecordBatch batch;
    batch.Put(Family::kIndex, "key", "value");
    ASSERT_TRUE((*store)->Write(batch).ok());
    ASSERT_TRUE((*store)->Flush().ok());
    (*store)->Close();
  }
  ::umask(before);
  size_t seen = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory.path())) {
    ++seen;
    EXPECT_EQ(entry.status().permissions(),
              entry.is_directory() ? fs::perms::owner_all : fs::perms::owner_read | fs::perms::owner_write)
        << entry.path();
  }
  EXPECT_GE(seen, 6U);
}

}  // namespace
}  // namespace tidemark::storage::rocks
