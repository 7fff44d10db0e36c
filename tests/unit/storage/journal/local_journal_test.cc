#include "storage/journal/local_journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "storage/journal/segment_format.h"
#include "tests/temp_directory.h"

namespace tidemark::journal {
namespace {

namespace fs = std::filesystem;

class LocalJournalTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<Journal> Open(uint64_t segment_bytes = 1 << 20) const {
    auto journal = OpenLocalJournal({.directory = directory_.string(),
                                     .file_system = nullptr,
                                     .segment_bytes = segment_bytes,
                                     .write_ahead_bytes = 64 << 10});
    EXPECT_TRUE(journal.ok()) << journal.error().message;
    return journal.ok() ? std::move(*journal) : nullptr;
  }
  static Result<std::map<uint64_t, std::string>> ReplayAll(Journal* journal, uint64_t from = 1) {
    std::map<uint64_t, std::string> records;
    TM_RETURN_IF_ERROR(journal->Replay(from, [&](uint64_t sequence, std::string_view record) {
      records[sequence] = record;
      return Result<void>();
    }));
    return records;
  }
  static uint64_t Put(Journal* journal, const std::string& text) {
    const auto sequence = journal->Append([&](uint64_t, std::string* record) { *record += text; });
    EXPECT_TRUE(journal->WaitDurable(*sequence).ok());
    return *sequence;
  }
  [[nodiscard]] std::vector<fs::path> Segments() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(directory_)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  static void Damage(const fs::path& path, std::streamoff offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(offset);
    file.put(byte);
  }

  const TempDirectory folder_;
  const fs::path directory_ = folder_.path();
};

TEST_F(LocalJournalTest, RecordsComeBackInOrder) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get())->empty());
    for (int i = 1; i <= 100; ++i)
      EXPECT_EQ(Put(journal.get(), "record " + std::to_string(i)), static_cast<uint64_t>(i));
  }
  auto journal = Open();
  const auto records = ReplayAll(journal.get());
  ASSERT_TRUE(records.ok()) << records.error().message;
  ASSERT_EQ(records->size(), 100U);
  EXPECT_EQ(records->at(57), "record 57");
  EXPECT_EQ(Put(journal.get(), "next"), 101U);
}

TEST_F(LocalJournalTest, RollsOverAndTrims) {
  std::mt19937 random(3);
  std::map<uint64_t, std::string> expected;
  {
    auto journal = Open(4096);
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 200; ++i) {
      const std::string text(random() % 3000, static_cast<char>('a' + i % 26));
      expected[Put(journal.get(), text)] = text;
    }
    expected[Put(journal.get(), std::string(20'000, 'z'))] = std::string(20'000, 'z');
    EXPECT_GT(Segments().size(), 20U);
    ASSERT_TRUE(journal->Trim(150).ok());
    EXPECT_LT(journal->Stats().segments, 60U);
  }
  {
    auto journal = Open(4096);
    const auto records = ReplayAll(journal.get(), 151);
    ASSERT_TRUE(records.ok()) << records.error().message;
    expected.erase(expected.begin(), expected.find(151));
    EXPECT_EQ(*records, expected);
    ASSERT_TRUE(journal->Trim(201).ok());
    EXPECT_EQ(Put(journal.get(), "after"), 202U);
    ASSERT_TRUE(journal->Trim(202).ok());
    EXPECT_TRUE(Segments().empty());
  }
  auto journal = Open(4096);
  EXPECT_TRUE(ReplayAll(journal.get(), 203)->empty());
  EXPECT_EQ(Put(journal.get(), "x"), 203U);
}

TEST_F(LocalJournalTest, ManyWritersShareSyncs) {
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) Put(journal.get(), std::to_string(t) + ":" + std::to_string(i));
      });
    }
    threads.clear();
    EXPECT_EQ(journal->Stats().records, static_cast<uint64_t>(kThreads * kEach));
    EXPECT_LE(journal->Stats().syncs, journal->Stats().records);
  }
  auto journal = Open();
  const auto records = ReplayAll(journal.get());
  ASSERT_TRUE(records.ok());
  std::map<std::string, int> next;
  for (const auto& [sequence, text] : *records) {
    const std::string writer = text.substr(0, text.find(':'));
    EXPECT_EQ(text, writer + ":" + std::to_string(next[writer]++));
  }
  EXPECT_EQ(records->size(), static_cast<size_t>(kThreads * kEach));
}

TEST_F(LocalJournalTest, ATornTailIsCut) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 3; ++i) Put(journal.get(), std::string(100, 'a'));
  }
  // The second half of the last record never got to the disk.
  const size_t begin = kSegmentHeaderBytes + 2 * RecordBytes(100) + 60;
  {
    std::fstream file(Segments()[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(begin));
    file << std::string(kRecordHeaderBytes + 100 - 60, '\0');
  }
  {
    auto journal = Open();
    const auto records = ReplayAll(journal.get());
    ASSERT_TRUE(records.ok()) << records.error().message;
    EXPECT_EQ(records->size(), 2U);
    EXPECT_EQ(Put(journal.get(), "again"), 3U);
  }
  auto journal = Open();
  EXPECT_EQ(ReplayAll(journal.get())->at(3), "again");
}

TEST_F(LocalJournalTest, AFlippedBitInTheLastRecordIsNoTornTail) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 3; ++i) Put(journal.get(), std::string(700, 'a'));
  }
  for (const size_t at : {size_t{9}, size_t{20}, size_t{40}, size_t{600}, size_t{731}}) {
    const auto offset = static_cast<std::streamoff>(kSegmentHeaderBytes + 2 * RecordBytes(700) + at);
    Damage(Segments()[0], offset);
    const auto records = ReplayAll(Open().get());
    ASSERT_FALSE(records.ok()) << at;
    EXPECT_NE(records.error().message.find("record 3"), std::string::npos) << records.error().message;
    Damage(Segments()[0], offset);
  }
  EXPECT_EQ(ReplayAll(Open().get())->size(), 3U);
}

TEST_F(LocalJournalTest, DamageBeforeSyncedRecordsStopsTheStart) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 5; ++i) Put(journal.get(), std::string(100, 'a'));
  }
  Damage(Segments()[0], kSegmentHeaderBytes + RecordBytes(100) + 40);
  auto journal = Open();
  const auto records = ReplayAll(journal.get());
  ASSERT_FALSE(records.ok());
  EXPECT_EQ(records.error().code, ErrorCode::kCorruption);
  EXPECT_NE(records.error().message.find("record 2"), std::string::npos) << records.error().message;
  EXPECT_NE(records.error().message.find("repair"), std::string::npos);
}

TEST_F(LocalJournalTest, ADamagedHeaderBeforeRecordsStopsTheStartInTheNewestSegmentToo) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    Put(journal.get(), "acknowledged");
  }
  Damage(Segments()[0], 20);
  const auto opened = OpenLocalJournal({.directory = directory_.string(), .file_system = nullptr});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(fs::exists(Segments()[0]));
}

TEST_F(LocalJournalTest, AMissingSegmentStopsTheStart) {
  {
    auto journal = Open(4096);
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 40; ++i) Put(journal.get(), std::string(1000, 'a'));
  }
  for (const size_t victim : {size_t{0}, size_t{3}}) {
    const fs::path path = Segments()[victim];
    const fs::path aside = directory_.string() + ".aside";
    fs::rename(path, aside);
    EXPECT_EQ(ReplayAll(Open(4096).get()).error().code, ErrorCode::kCorruption) << victim;
    fs::rename(aside, path);
  }
  EXPECT_TRUE(ReplayAll(Open(4096).get()).ok());
}

TEST_F(LocalJournalTest, AHalfMadeNewestSegmentGoesAnUnknownVersionIsRefused) {
  {
    std::ofstream(directory_ / "0000000000000001.tmj") << "TMJ";
  }
  EXPECT_TRUE(ReplayAll(Open().get())->empty());
  EXPECT_TRUE(Segments().empty());
}

}  // namespace
}  // namespace tidemark::journal
