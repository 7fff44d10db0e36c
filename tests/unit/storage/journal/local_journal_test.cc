#include "storage/journal/local_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "storage/journal/journal_scan.h"
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
                                     .write_ahead = true,
                                     .on_durable = on_durable_,
                                     .acknowledged = {}});
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
    const auto sequence = journal->Append([&](uint64_t, std::string* record) {
      *record += text;
      return uint64_t{1};
    });
    EXPECT_TRUE(journal->WaitDurable(*sequence).ok());
    return *sequence;
  }
  [[nodiscard]] std::vector<fs::path> Segments() const {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(directory_)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  static std::string ReadFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static void WriteFile(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  // What is damaged, one in a line; "" when nothing is.
  [[nodiscard]] std::string Check() const {
    const auto check = CheckJournal(rocksdb::FileSystem::Default().get(), directory_.string(), 1,
                                    [](uint64_t, std::string_view) { return Result<void>(); });
    if (!check.ok()) return check.error().message;
    std::string text;
    for (const JournalDamage& damage : check->damages) text += damage.path + ": " + damage.what + "\n";
    return text;
  }
  static void Damage(const fs::path& path, std::streamoff offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(offset);
    file.put(byte);
  }

  std::function<Result<void>(const JournalMark&)> on_durable_;
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
  // Of its header every bit, its size among them; of its payload some.
  const std::string whole = ReadFile(Segments()[0]);
  const size_t record = kSegmentHeaderBytes + 2 * RecordBytes(700);
  for (size_t bit = 0; bit < 8 * (kRecordHeaderBytes + 700); bit += bit < 8 * kRecordHeaderBytes ? 1 : 497) {
    std::string flipped = whole;
    flipped[record + bit / 8] = static_cast<char>(flipped[record + bit / 8] ^ (1 << bit % 8));
    WriteFile(Segments()[0], flipped);
    const auto records = ReplayAll(Open().get());
    ASSERT_FALSE(records.ok()) << bit;
    EXPECT_NE(records.error().message.find("record 3"), std::string::npos) << records.error().message;
  }
  WriteFile(Segments()[0], whole);
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

// A write that ended somewhere in a record, also in its header, left zeros behind that place.
TEST_F(LocalJournalTest, AWriteMayEndAtAnyByte) {
  {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 3; ++i) Put(journal.get(), std::string(700, 'a'));
  }
  const std::string whole = ReadFile(Segments()[0]);
  const size_t record = kSegmentHeaderBytes + 2 * RecordBytes(700);
  for (size_t end = 0; end < kRecordHeaderBytes + 700; end += end < 40 ? 1 : 97) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(record + end), torn.end(), '\0');
    WriteFile(Segments()[0], torn);
    const auto records = ReplayAll(Open().get());
    ASSERT_TRUE(records.ok()) << end << ": " << records.error().message;
    EXPECT_EQ(records->size(), 2U) << end;
    EXPECT_EQ(Check(), "") << end;
  }
}

TEST_F(LocalJournalTest, ASegmentGrowsByWholeSteps) {
  constexpr uint64_t kCapacity = (uint64_t{11} << 20) + 4096;
  std::set<uint64_t> lengths;
  {
    auto journal = Open(kCapacity);
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 21; ++i) {
      Put(journal.get(), std::string(500'000, 'a'));
      const uint64_t length = fs::file_size(Segments()[0]);
      EXPECT_GT(length, kSegmentHeaderBytes + static_cast<uint64_t>(i + 1) * 500'000)
          << "it grows before it is written";
      lengths.insert(length);
    }
  }
  EXPECT_THAT(lengths, testing::IsSubsetOf({uint64_t{1} << 20, uint64_t{5} << 20, uint64_t{9} << 20, kCapacity}));
  EXPECT_TRUE(lengths.contains(kCapacity));
  EXPECT_EQ(Check(), "");
}

// Also where all that was cut off was zeros: nobody can tell.
TEST_F(LocalJournalTest, ALengthThatNoWriterLeavesIsDamage) {
  {
    auto journal = Open(uint64_t{64} << 20);
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    for (int i = 0; i < 3; ++i) Put(journal.get(), std::string(700, 'a'));
  }
  const fs::path path = Segments()[0];
  fs::resize_file(path, uint64_t{5} << 20);
  ASSERT_EQ(Check(), "");
  for (const uint64_t length : {uint64_t{64}, uint64_t{3000}, (uint64_t{1} << 20) - 1, (uint64_t{1} << 20) + 1,
                                uint64_t{4} << 20, (uint64_t{64} << 20) + 512}) {
    fs::resize_file(path, length);
    EXPECT_THAT(Check(), testing::HasSubstr("length")) << length;
    fs::resize_file(path, uint64_t{5} << 20);
  }
  const auto check = [&] {
    return CheckJournal(rocksdb::FileSystem::Default().get(), directory_.string(), 1,
                        [](uint64_t, std::string_view) { return Result<void>(); });
  };
  const auto damaged = [&] {
    fs::resize_file(path, 3000);
    return check();
  }();
  ASSERT_TRUE(damaged.ok());
  const fs::path aside = directory_ / "aside";
  fs::create_directories(aside);
  for (const JournalDamage& damage : damaged->damages) {
    const auto mended = MendJournal(rocksdb::FileSystem::Default().get(), damage, aside.string());
    ASSERT_TRUE(mended.ok()) << mended.error().message;
  }
  EXPECT_EQ(Check(), "");
}

TEST_F(LocalJournalTest, WhoeverKeepsAWatermarkIsToldBeforeTheWriter) {
  std::vector<JournalMark> marks;
  bool broken = false;
  on_durable_ = [&](const JournalMark& mark) -> Result<void> {
    if (broken) return IoError("no watermark");
    marks.push_back(mark);
    return {};
  };
  auto journal = Open(4096);
  ASSERT_TRUE(ReplayAll(journal.get()).ok());
  for (uint64_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(Put(journal.get(), std::string(1000, 'a')), i);
    ASSERT_EQ(marks.size(), i);
    EXPECT_EQ(marks.back().sequence, i);
    EXPECT_EQ(marks.back().records, i);
    EXPECT_EQ(marks.back().rows, i);
  }
  EXPECT_EQ(marks[0].segment, 1U);
  EXPECT_EQ(marks[0].end, kSegmentHeaderBytes + RecordBytes(1000));
  EXPECT_EQ(marks[5].segment, 2U);
  EXPECT_NE(marks[0].salt, marks[5].salt);
  const auto read = ReadRecord(ReadFile(Segments()[1]), marks[5].end - RecordBytes(1000), marks[5].salt);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->checksum, marks[5].checksum);
  // What could not be noted is not acknowledged, and does not count.
  broken = true;
  const auto failed = journal->Append([](uint64_t, std::string* record) {
    *record += "x";
    return uint64_t{7};
  });
  EXPECT_FALSE(journal->WaitDurable(*failed).ok());
  EXPECT_EQ(journal->FailuresUpTo(7).rows, 7U);
  EXPECT_EQ(journal->FailuresUpTo(6).records, 0U);
  broken = false;
  EXPECT_EQ(Put(journal.get(), "y"), 8U);
  EXPECT_EQ(marks.back().records, 7U);
}

TEST_F(LocalJournalTest, ASegmentThatWasRemovedOrReplacedTakesNoMoreRecords) {
  for (const bool replaced : {false, true}) {
    auto journal = Open();
    ASSERT_TRUE(ReplayAll(journal.get()).ok());
    Put(journal.get(), "there");
    const fs::path path = Segments().back();
    const std::string bytes = ReadFile(path);
    fs::remove(path);
    if (replaced) WriteFile(path, bytes);
    const auto sequence = journal->Append([](uint64_t, std::string* record) {
      *record += "x";
      return uint64_t{1};
    });
    const auto waited = journal->WaitDurable(*sequence);
    ASSERT_FALSE(waited.ok());
    EXPECT_THAT(waited.error().message, testing::HasSubstr("removed"));
    journal.reset();
    fs::remove(path);
  }
}

// Fails the deletion of files, as often as it is told to.
class UndeletingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  UndeletingFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  [[nodiscard]] const char* Name() const override { return "UndeletingFileSystem"; }
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
    if (failures > 0 && failures-- > 0) return rocksdb::IOStatus::IOError("injected");
    return FileSystemWrapper::DeleteFile(path, options, debug);
  }
  int failures = 0;
};

TEST_F(LocalJournalTest, ASegmentThatCouldNotBeDeletedIsTriedAgain) {
  const auto files = std::make_shared<UndeletingFileSystem>();
  auto journal = OpenLocalJournal({.directory = directory_.string(),
                                   .file_system = files,
                                   .segment_bytes = 4096,
                                   .write_ahead = false,
                                   .on_durable = {},
                                   .acknowledged = {}});
  ASSERT_TRUE(journal.ok() && ReplayAll(journal->get()).ok());
  for (int i = 0; i < 12; ++i) Put(journal->get(), std::string(1000, 'a'));
  ASSERT_EQ(Segments().size(), 4U);
  files->failures = 2;
  const auto trimmed = (*journal)->Trim(12);
  ASSERT_FALSE(trimmed.ok());
  EXPECT_EQ(Segments().size(), 2U) << "one failure must not keep the others";
  ASSERT_TRUE((*journal)->Trim(12).ok());
  EXPECT_TRUE(Segments().empty());
}

}  // namespace
}  // namespace tidemark::journal
