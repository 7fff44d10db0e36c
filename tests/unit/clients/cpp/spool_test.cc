#include "clients/cpp/spool.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/temp_directory.h"

namespace tidemark::client {
namespace {

Batch MakeBatch(uint64_t sequence, size_t bytes = 20) {
  Batch batch;
  batch.sequence = sequence;
  batch.write_id = "id-" + std::to_string(sequence);
  batch.database = "db";
  batch.points = sequence * 10;
  batch.lines = std::string(bytes, static_cast<char>('a' + sequence % 26));
  return batch;
}

class SpoolTest : public testing::Test {
 protected:
  SpoolOptions Options() const { return {.directory = folder_.Below("spool")}; }
  static std::unique_ptr<Spool> OpenIt(const SpoolOptions& options) {
    auto spool = Spool::Open(options);
    EXPECT_TRUE(spool.ok()) << spool.error().message;
    return std::move(*spool);
  }
  std::vector<std::filesystem::path> Segments() const {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.Below("spool"))) {
      if (entry.path().extension() == ".spool") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  TempDirectory folder_;
};

void ExpectSame(const std::shared_ptr<const Batch>& got, const Batch& want) {
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->write_id, want.write_id);
  EXPECT_EQ(got->database, want.database);
  EXPECT_EQ(got->points, want.points);
  EXPECT_EQ(got->lines, want.lines);
}

TEST_F(SpoolTest, ComesOutInOrderAndLeavesNothing) {
  const auto spool = OpenIt(Options());
  EXPECT_EQ(spool->FrontSequence(), 0);
  EXPECT_EQ(spool->Front(), nullptr);
  for (uint64_t i = 5; i < 8; ++i) ASSERT_TRUE(spool->Append(MakeBatch(i)).ok());
  EXPECT_EQ(spool->stats().points, 50 + 60 + 70);
  for (uint64_t i = 5; i < 8; ++i) {
    EXPECT_EQ(spool->FrontSequence(), i);
    ExpectSame(spool->Front(), MakeBatch(i));
    ExpectSame(spool->Front(), MakeBatch(i));
    spool->Pop(i);
    spool->Pop(i);  // is another one by now
  }
  EXPECT_EQ(spool->stats().bytes, 0);
  EXPECT_EQ(spool->stats().points, 0);
  EXPECT_TRUE(Segments().empty());
  ASSERT_TRUE(spool->Append(MakeBatch(20)).ok());
  EXPECT_EQ(spool->FrontSequence(), 20);
}

TEST_F(SpoolTest, OutlivesTheProcess) {
  SpoolOptions options = Options();
  options.segment_bytes = 200;
  {
    const auto spool = OpenIt(options);
    for (uint64_t i = 1; i <= 9; ++i) ASSERT_TRUE(spool->Append(MakeBatch(i)).ok());
  }
  ASSERT_GT(Segments().size(), 1);
  const auto spool = OpenIt(options);
  EXPECT_EQ(spool->stats().batches, 9);
  ASSERT_TRUE(spool->Append(MakeBatch(10)).ok());
  for (uint64_t i = 1; i <= 10; ++i) {
    ExpectSame(spool->Front(), MakeBatch(i));
    EXPECT_EQ(spool->Front()->sequence, i);
    spool->Pop(i);
  }
  EXPECT_EQ(spool->stats().damaged_bytes, 0);
}

TEST_F(SpoolTest, ATornRecordIsGivenUpAndCounted) {
  {
    const auto spool = OpenIt(Options());
    for (uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(spool->Append(MakeBatch(i)).ok());
  }
  const auto path = Segments().at(0);
  const uint64_t size = std::filesystem::file_size(path);
  // Every length at which a crash may have cut the last record.
  const uint64_t record = (size - 8) / 3;
  for (uint64_t cut = 1; cut < record; ++cut) {
    std::filesystem::resize_file(path, size - cut);
    const auto spool = OpenIt(Options());
    EXPECT_EQ(spool->stats().batches, 2) << cut;
    EXPECT_EQ(spool->stats().damaged_bytes, record - cut) << cut;
    ExpectSame(spool->Front(), MakeBatch(1));
  }
}

TEST_F(SpoolTest, EveryFlippedByteIsNoticed) {
  {
    const auto spool = OpenIt(Options());
    ASSERT_TRUE(spool->Append(MakeBatch(1)).ok());
  }
  const auto path = Segments().at(0);
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    std::ofstream(path, std::ios::binary) << bad;
    const auto spool = OpenIt(Options());
    EXPECT_EQ(spool->Front(), nullptr) << "byte " << i;
    EXPECT_EQ(spool->FrontSequence(), 0);
    EXPECT_GT(spool->stats().damaged_bytes, 0) << "byte " << i;
    EXPECT_TRUE(Segments().empty());
  }
}

TEST_F(SpoolTest, DamageCostsItsOwnSegmentOnly) {
  SpoolOptions options = Options();
  options.segment_bytes = 100;
  {
    const auto spool = OpenIt(options);
    for (uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(spool->Append(MakeBatch(i, 100)).ok());
  }
  ASSERT_EQ(Segments().size(), 4);
  std::fstream file(Segments().at(1), std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(60);
  file.put('!');
  file.close();
  const auto spool = OpenIt(options);
  spool->Pop(1);
  ASSERT_NE(spool->Front(), nullptr);
  EXPECT_EQ(spool->Front()->sequence, 3);
  ExpectSame(spool->Front(), MakeBatch(3, 100));
  EXPECT_EQ(spool->stats().damaged_batches, 1);
}

TEST_F(SpoolTest, TheOldestGoesWhenItIsFull) {
  SpoolOptions options = Options();
  options.max_bytes = 4000;
  const auto spool = OpenIt(options);
  uint64_t dropped_points = 0;
  uint64_t dropped_batches = 0;
  for (uint64_t i = 1; i <= 100; ++i) {
    const auto dropped = spool->Append(MakeBatch(i, 300));
    ASSERT_TRUE(dropped.ok());
    dropped_points += dropped->points;
    dropped_batches += dropped->batches;
    EXPECT_LE(spool->stats().bytes, 4000);
  }
  EXPECT_EQ(spool->FrontSequence(), dropped_batches + 1);
  EXPECT_EQ(spool->stats().batches + dropped_batches, 100);
  EXPECT_EQ(spool->stats().points + dropped_points, 10 * 100 * 101 / 2);
  ExpectSame(spool->Front(), MakeBatch(dropped_batches + 1, 300));
  uint64_t on_disk = 0;
  for (const auto& path : Segments()) on_disk += std::filesystem::file_size(path);
  EXPECT_EQ(on_disk, spool->stats().bytes);
  EXPECT_FALSE(spool->Append(MakeBatch(101, 4000)).ok());
}

TEST_F(SpoolTest, WhatIsBeingReadMayBeDropped) {
  SpoolOptions options = Options();
  options.max_bytes = 1600;
  const auto spool = OpenIt(options);
  ASSERT_TRUE(spool->Append(MakeBatch(1, 400)).ok());
  ExpectSame(spool->Front(), MakeBatch(1, 400));
  for (uint64_t i = 2; i <= 5; ++i) ASSERT_TRUE(spool->Append(MakeBatch(i, 400)).ok());
  const uint64_t front = spool->FrontSequence();
  EXPECT_GT(front, 1);
  spool->Pop(1);
  EXPECT_EQ(spool->FrontSequence(), front);
  ExpectSame(spool->Front(), MakeBatch(front, 400));
}

TEST_F(SpoolTest, OneOwnerAtATime) {
  const auto spool = OpenIt(Options());
  const auto second = Spool::Open(Options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(SpoolTest, AFolderThatCannotBe) {
  std::ofstream(folder_.Below("file")) << "x";
  EXPECT_EQ(Spool::Open({.directory = folder_.Below("file/x")}).error().code, ErrorCode::kIo);
  EXPECT_EQ(Spool::Open({.directory = ""}).error().code, ErrorCode::kInvalidArgument);
  SpoolOptions tiny = Options();
  tiny.max_bytes = 3;
  EXPECT_EQ(Spool::Open(tiny).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SpoolTest, OtherFilesAreLeftAlone) {
  static_cast<void>(OpenIt(Options()));
  const std::string stranger = folder_.Below("spool/notes.spool");
  std::ofstream(stranger) << "mine";
  static_cast<void>(OpenIt(Options()));
  EXPECT_TRUE(std::filesystem::exists(stranger));
}

}  // namespace
}  // namespace tidemark::client
