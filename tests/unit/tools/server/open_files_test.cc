#include "tools/server/open_files.h"

#include <gtest/gtest.h>

namespace tidemark::server {
namespace {

TEST(OpenFilesTest, AGenerousLimitGivesWhatIsWanted) {
  const OpenFiles files = ShareOpenFiles(524'288, 4096, 10'000);
  EXPECT_EQ(files.tables, 4096);
  EXPECT_EQ(files.connections, 10'000U);
}

TEST(OpenFilesTest, WhateverTheLimitConnectionsLeaveAReserve) {
  for (uint64_t limit = 300; limit < 20'000; limit += 7) {
    const OpenFiles files = ShareOpenFiles(limit, 4096, 10'000);
    EXPECT_GE(files.tables, 64);
    EXPECT_GE(files.connections, 1U);
    EXPECT_LE(static_cast<uint64_t>(files.tables) + files.connections + 100, limit) << limit;
  }
  EXPECT_GE(ShareOpenFiles(1024, 4096, 10'000).connections, 500U);
}

TEST(OpenFilesTest, TablesMakeRoomForConnectionsThatAreAskedFor) {
  // All of the limit but the reserve and 512 tables.
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 19'232).connections, 19'232U);
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 19'232).tables, 512);
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 100'000).connections, 19'232U);
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 18'000).connections, 18'000U);
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 18'000).tables, 20'000 - 256 - 18'000);
  EXPECT_EQ(ShareOpenFiles(20'000, 300, 100'000).tables, 300);
  // Nobody asks for a number.
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 0).tables, 4096);
  EXPECT_EQ(ShareOpenFiles(20'000, 4096, 0).connections, 20'000U - 256 - 4096);
}

TEST(OpenFilesTest, ALimitBelowTheReserveStillGivesSomething) {
  const OpenFiles files = ShareOpenFiles(16, 4096, 10'000);
  EXPECT_EQ(files.tables, 64);
  EXPECT_EQ(files.connections, 1U);
}

TEST(OpenFilesTest, TheSoftLimitIsTheHardOneAfterwards) {
  const uint64_t raised = RaiseOpenFileLimit();
  EXPECT_GE(raised, 64U);
  EXPECT_EQ(RaiseOpenFileLimit(), raised);
}

}  // namespace
}  // namespace tidemark::server
