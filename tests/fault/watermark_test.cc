// Fewer rows than were acknowledged are never served without saying so, and saying how many: whatever is cut off the
// end of the journal or of RocksDB's log, flipped in the last record's header, or removed, also under a store that is
// running. A kill is a copy of the directory of a store that is open: what was written is in the files, synced or not.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "directory_copy.h"
#include "row_model.h"
#include "storage/base/clock.h"
#include "storage/journal/segment_format.h"
#include "storage/storage.h"
#include "storage/verify.h"
#include "tests/temp_directory.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStartNs = 1'699'999'200'000'000'000;
constexpr int kRows = 100;

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class WatermarkTest : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path root() const { return directory_.path(); }
  [[nodiscard]] fs::path data() const { return root() / "data"; }
  [[nodiscard]] fs::path killed() const { return root() / "killed"; }
  [[nodiscard]] fs::path work() const { return root() / "work"; }

  [[nodiscard]] Result<std::unique_ptr<storage::Store>> Open(const fs::path& directory) {
    storage::StoreOptions options;
    options.directory = directory.string();
    options.clock = &clock_;
    options.background = false;
    options.boot_id = boot_id_;
    options.journal_segment_bytes = segment_bytes_;
    return storage::Store::Open(std::move(options));
  }

  // One row a request, one request a second; the directory after them, as a kill leaves it.
  void WriteRows(storage::Store& store, int count) {
    for (int i = 0; i < count; ++i) {
      const auto written =
          WriteRun(store, {.host = "a", .first_ns = kStartNs + written_ * kSecond, .count = 1, .value = written_});
      ASSERT_TRUE(written.ok()) << written.error().message;
      ++written_;
      clock_.Advance(kSecond);
      ASSERT_TRUE(store.RunMaintenance().ok());
    }
  }
  void WriteAndKill(int before_checkpoint = 0) {
    auto store = Open(data());
    ASSERT_TRUE(store.ok()) << store.error().message;
    if (before_checkpoint > 0) {
      ASSERT_NO_FATAL_FAILURE(WriteRows(**store, before_checkpoint));
      ASSERT_TRUE((*store)->Checkpoint().ok());
    }
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, kRows));
    CopyTo(data(), killed());
  }

  [[nodiscard]] static int RowsIn(const storage::Store& store) {
    auto found = ReadAll(store);
    if (!found.ok()) return 0;
    const auto column = found->find("default/m_v/a");
    return column == found->end() ? 0 : static_cast<int>(column->second.size());
  }

  // What is served and what is said to be missing add up to what was acknowledged. Returns what was said.
  std::string ExpectTold(const fs::path& directory, bool must_be_damaged) {
    std::string said;
    uint64_t missing = 0;
    std::string counted;
    const auto report =
        storage::Verify({.directory = directory.string(),
                         .on_damage = [&](const storage::Damage& damage) { said += damage.what + "\n"; },
                         .on_progress = {}});
    EXPECT_TRUE(report.ok()) << report.error().message;
    auto store = Open(directory);
    if (!store.ok()) {
      said += store.error().message;
      EXPECT_NE(report->damages, 0U) << "a start refuses what verify does not find: " << said;
      return said;
    }
    bool proven = true;
    for (const model::Finding& finding : (*store)->Findings()) {
      said += model::Describe(finding) + "\n";
      if (!finding.loss) continue;
      proven &= finding.loss->proven && finding.loss->rows.has_value();
      missing += finding.loss->rows.value_or(0);
      EXPECT_TRUE(finding.loss->until.has_value()) << said;
    }
    const auto served = static_cast<uint64_t>(RowsIn(**store));
    if (proven) {
      EXPECT_EQ(served + missing, static_cast<uint64_t>(written_)) << said;
    } else {
      EXPECT_LT(served, static_cast<uint64_t>(written_)) << said;
    }
    if (missing > 0) {
      EXPECT_FALSE(WriteRun(**store, {.first_ns = kStartNs, .count = 1}).ok()) << said;
    }
    EXPECT_EQ(report->damages == 0, (*store)->Findings().empty()) << "verify and start differ: " << said;
    EXPECT_TRUE(!must_be_damaged || !(*store)->Findings().empty());
    return said;
  }

  [[nodiscard]] fs::path NewestSegment(const fs::path& directory) const {
    std::set<fs::path> segments;
    for (const auto& entry : fs::directory_iterator(directory / "journal")) segments.insert(entry.path());
    return *segments.rbegin();
  }

  TempDirectory directory_;
  ManualClock clock_{kStartNs};
  std::string boot_id_ = "one";
  uint64_t segment_bytes_ = uint64_t{64} << 20;
  int written_ = 0;
};

TEST_F(WatermarkTest, AJournalThatIsCutAnywhereIsToldWithItsRows) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill());
  const std::string whole = ReadFile(NewestSegment(killed()));
  const size_t used = whole.find_last_not_of('\0') + 1;
  std::vector<size_t> lengths = {0, 1, 63, 64, 3000, used - 1, used, used + 1, whole.size() - 1, whole.size()};
  for (size_t at = 64; at < used; at += used / 25) lengths.push_back(at);
  for (const size_t length : lengths) {
    SCOPED_TRACE(length);
    CopyTo(killed(), work());
    fs::resize_file(NewestSegment(work()), length);
    const std::string said = ExpectTold(work(), length != whole.size());
    // Zeros alone were cut off: nothing is missing, and that is said too.
    if (length >= used && length != whole.size()) {
      EXPECT_THAT(said, HasSubstr("nothing that was acknowledged"));
    }
    // The file has its length, and its end is gone.
    if (length == 0 || length >= used) continue;
    CopyTo(killed(), work());
    WriteFile(NewestSegment(work()), whole.substr(0, length) + std::string(whole.size() - length, '\0'));
    ExpectTold(work(), true);
  }
}

TEST_F(WatermarkTest, EachBitOfTheLastRecordsHeaderIsMissed) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill());
  const fs::path segment = NewestSegment(killed());
  const std::string whole = ReadFile(segment);
  size_t last = journal::kSegmentHeaderBytes;
  uint32_t version = 0;
  const auto header = journal::SegmentHeader::Decode(whole, &version);
  size_t at = last;
  for (;;) {
    const auto record = journal::ReadRecord(whole, at, header->salt);
    if (!record) break;
    last = at;
    at += journal::RecordBytes(record->payload.size());
  }
  for (size_t bit = 0; bit < 8 * journal::kRecordHeaderBytes; bit += 5) {
    SCOPED_TRACE(bit);
    CopyTo(killed(), work());
    std::string flipped = whole;
    flipped[last + bit / 8] = static_cast<char>(flipped[last + bit / 8] ^ (1 << bit % 8));
    WriteFile(NewestSegment(work()), flipped);
    EXPECT_THAT(ExpectTold(work(), true), HasSubstr("1 row"));
  }
}

TEST_F(WatermarkTest, SegmentsThatAreRemovedAreMissedAlsoBehindACheckpoint) {
  segment_bytes_ = 2048;
  ASSERT_NO_FATAL_FAILURE(WriteAndKill(/*before_checkpoint=*/30));
  std::vector<fs::path> segments;
  for (const auto& entry : fs::directory_iterator(killed() / "journal")) segments.push_back(entry.path().filename());
  std::sort(segments.begin(), segments.end());
  ASSERT_GE(segments.size(), 4U);
  for (const fs::path& segment : {segments.front(), segments[segments.size() / 2], segments.back()}) {
    SCOPED_TRACE(segment);
    CopyTo(killed(), work());
    fs::remove(work() / "journal" / segment);
    ExpectTold(work(), true);
  }
  CopyTo(killed(), work());
  fs::remove_all(work() / "journal");
  EXPECT_THAT(ExpectTold(work(), true), HasSubstr("100 rows (100 journal records) that were acknowledged between "));
}

TEST_F(WatermarkTest, AnotherJournalIsNotTakenForTheRightOne) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill());
  const fs::path other = root() / "other";
  {
    auto store = Open(other);
    ASSERT_TRUE(store.ok());
    const int kept = written_;
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, kRows));
    written_ = kept;
  }
  CopyTo(killed(), work());
  CopyTo(other / "journal", work() / "journal");
  EXPECT_THAT(ExpectTold(work(), true), HasSubstr("another than the one that was written"));
}

TEST_F(WatermarkTest, RocksDbThatIsShorterThanWhatWasCommittedIsFound) {
  {
    auto store = Open(data());
    ASSERT_TRUE(store.ok());
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, 10));
    ASSERT_TRUE((*store)->Checkpoint().ok());
    CopyTo(data(), root() / "old");
    for (int i = 0; i < 5; ++i) ASSERT_TRUE((*store)->CreateDatabase(fmt::format("d{}", i), {}).ok());
    CopyTo(data(), killed());
  }
  std::string log;
  for (const auto& entry : fs::directory_iterator(killed() / "rocksdb")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log = entry.path().filename().string();
  }
  ASSERT_NE(log, "");
  const std::string whole = ReadFile(killed() / "rocksdb" / log);
  const size_t used = whole.find_last_not_of('\0') + 1;
  for (size_t at = 0; at < used; at += std::max<size_t>(1, used / 40)) {
    SCOPED_TRACE(at);
    CopyTo(killed(), work());
    fs::resize_file(work() / "rocksdb" / log, at);
    EXPECT_THAT(ExpectTold(work(), true), HasSubstr("that were committed are missing"));
  }
  CopyTo(killed(), work());
  CopyTo(root() / "old" / "rocksdb", work() / "rocksdb");
  EXPECT_THAT(ExpectTold(work(), true), HasSubstr("that were committed are missing"));
}

TEST_F(WatermarkTest, ARepairAcceptsTheLossForGoodAndWritingGoesOn) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill());
  CopyTo(killed(), work());
  fs::remove_all(work() / "journal");
  storage::RepairOptions repair{
      .directory = work().string(), .aside = (work() / "set-aside" / "1").string(), .on_step = {}};
  repair.dry_run = true;
  std::string planned;
  std::string done;
  repair.on_step = [&](std::string_view step) { planned += step; };
  const auto plan = storage::Repair(repair);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_TRUE(plan->lost);
  EXPECT_THAT(planned, HasSubstr("100 rows"));
  repair.dry_run = false;
  repair.on_step = [&](std::string_view step) { done += step; };
  ASSERT_TRUE(storage::Repair(repair).ok());
  EXPECT_EQ(done, planned);
  std::string accepted;
  const auto report = storage::Verify({.directory = work().string(),
                                       .on_damage = {},
                                       .on_accepted = [&](std::string_view text) { accepted += text; },
                                       .on_progress = {}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->damages, 0U);
  EXPECT_THAT(accepted, HasSubstr("100 rows"));
  for (int start = 0; start < 2; ++start) {
    auto store = Open(work());
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_EQ((*store)->Findings().size(), 1U);
    EXPECT_TRUE((*store)->Findings()[0].accepted.has_value());
    EXPECT_EQ((*store)->Findings()[0].loss->rows, 100U);
    EXPECT_EQ(RowsIn(**store), start * 7);
    ASSERT_TRUE(WriteRun(**store, {.host = "a", .first_ns = kStartNs, .count = 7}).ok());
  }
}

TEST_F(WatermarkTest, AWatermarkThatIsDamagedOrMissingCostsNothingAndIsSaid) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill());
  CopyTo(killed(), work());
  fs::remove(work() / "watermark");
  EXPECT_THAT(ExpectTold(work(), true), HasSubstr("it is missing"));
  for (const size_t at : {size_t{20}, size_t{4096 + 20}}) {
    CopyTo(killed(), work());
    std::string bytes = ReadFile(work() / "watermark");
    bytes[at] ^= 1;
    WriteFile(work() / "watermark", bytes);
    EXPECT_THAT(ExpectTold(work(), true), HasSubstr("checksum"));
  }
  for (const size_t length : {0, 100, 5000, 8192}) {
    CopyTo(killed(), work());
    fs::resize_file(work() / "watermark", length);
    EXPECT_THAT(ExpectTold(work(), true), HasSubstr("watermark"));
  }
}

// After a power cut the watermark is older than what was acknowledged: it still never says too much.
TEST_F(WatermarkTest, AnOlderWatermarkIsALowerBound) {
  std::string old;
  {
    auto store = Open(data());
    ASSERT_TRUE(store.ok());
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, 40));
    old = ReadFile(data() / "watermark");
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, 60));
    CopyTo(data(), killed());
  }
  boot_id_ = "two";
  WriteFile(killed() / "watermark", old);
  CopyTo(killed(), work());
  EXPECT_EQ(ExpectTold(work(), false), "");
  CopyTo(killed(), work());
  fs::remove_all(work() / "journal");
  written_ = 40;  // of which it knows
  EXPECT_THAT(ExpectTold(work(), true), HasSubstr("40 rows"));
}

TEST_F(WatermarkTest, ACleanStopIsExact) {
  {
    auto store = Open(data());
    ASSERT_TRUE(store.ok());
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, kRows));
    ASSERT_TRUE((*store)->Close().ok());
  }
  boot_id_ = "two";
  for (int start = 0; start < 2; ++start) {
    auto store = Open(data());
    ASSERT_TRUE(store.ok());
    EXPECT_TRUE((*store)->Findings().empty());
    EXPECT_EQ(RowsIn(**store), kRows);
    ASSERT_TRUE((*store)->Close().ok());
  }
}

// Below the data directory; whether a second store must be kept out.
struct Victim {
  const char* name;
  bool in_directory;
};

TEST_F(WatermarkTest, AStoreWhoseFilesAreTakenAwayRefusesWritesAndServesReads) {
  int number = 0;
  for (const Victim& victim : {Victim{"journal", true}, Victim{"rocksdb/LOCK", true}, Victim{"LOCK", true},
                               Victim{"identity", true}, Victim{"watermark", true}, Victim{"", false}}) {
    SCOPED_TRACE(victim.name);
    written_ = 0;
    const fs::path directory = root() / fmt::format("running-{}", number++);
    auto store = Open(directory);
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, 5));
    fs::rename(directory / victim.name, root() / "away");
    if (victim.in_directory) {
      auto second = Open(directory);
      ASSERT_FALSE(second.ok()) << "a second store has it open";
      EXPECT_EQ(second.error().code, ErrorCode::kUnavailable) << second.error().message;
      EXPECT_THAT(second.error().message, HasSubstr("in use"));
    }
    clock_.Advance(kSecond);
    EXPECT_FALSE((*store)->RunMaintenance().ok());
    const auto refused = WriteRun(**store, {.host = "a", .first_ns = kStartNs, .count = 1});
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message, HasSubstr("removed, moved or replaced"));
    EXPECT_THAT(refused.error().message, HasSubstr("stop the server"));
    EXPECT_EQ((*store)->Findings().size(), 1U);
    EXPECT_TRUE((*store)->Stats().read_only);
    EXPECT_EQ(RowsIn(**store), 5);
    // Putting it back does not let writes in again: nobody knows what was written meanwhile.
    fs::rename(root() / "away", directory / victim.name);
    clock_.Advance(2 * kSecond);
    EXPECT_FALSE(WriteRun(**store, {.host = "a", .first_ns = kStartNs, .count = 1}).ok());
    (void)(*store)->Close().ok();
    store->reset();
    auto again = Open(directory);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(RowsIn(**again), 5);
    ASSERT_NO_FATAL_FAILURE(WriteRows(**again, 1));
  }
}

// The group that finds its segment gone is not acknowledged, before anybody has looked.
TEST_F(WatermarkTest, ARemovedSegmentFailsTheNextWriteAndTheStopSavesTheRest) {
  {
    auto store = Open(data());
    ASSERT_TRUE(store.ok());
    ASSERT_NO_FATAL_FAILURE(WriteRows(**store, kRows));
    fs::remove_all(data() / "journal");
    EXPECT_FALSE(WriteRun(**store, {.host = "a", .first_ns = kStartNs - kSecond, .count = 1}).ok());
    clock_.Advance(2 * kSecond);
    EXPECT_FALSE(WriteRun(**store, {.host = "a", .first_ns = kStartNs - kSecond, .count = 1}).ok());
    EXPECT_TRUE((*store)->Close().ok());
  }
  auto store = Open(data());
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_TRUE((*store)->Findings().empty());
  EXPECT_EQ(RowsIn(**store), kRows);
  ASSERT_NO_FATAL_FAILURE(WriteRows(**store, 1));
}

TEST_F(WatermarkTest, WhoHasTheDirectoryIsSaid) {
  auto store = Open(data());
  ASSERT_TRUE(store.ok());
  (*store)->Announce("http://127.0.0.1:8428");
  const auto second = Open(data());
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr(fmt::format("process {} (http://127.0.0.1:8428)", getpid())));
  const auto verified = storage::Verify({.directory = data().string(), .on_damage = {}, .on_progress = {}});
  ASSERT_FALSE(verified.ok());
  EXPECT_THAT(verified.error().message, HasSubstr("http://127.0.0.1:8428"));
}

TEST_F(WatermarkTest, WhatLiesThereIsItsOwnersAlone) {
  ASSERT_NO_FATAL_FAILURE(WriteAndKill(/*before_checkpoint=*/10));
  constexpr auto kOthers = fs::perms::group_all | fs::perms::others_all;
  // As an older version left it.
  for (const auto& entry : fs::recursive_directory_iterator(killed())) {
    fs::permissions(entry.path(), fs::perms::group_read | fs::perms::others_read, fs::perm_options::add);
  }
  fs::permissions(killed(), fs::perms::group_read | fs::perms::others_exec, fs::perm_options::add);
  auto store = Open(killed());
  ASSERT_TRUE(store.ok()) << store.error().message;
  EXPECT_EQ(fs::status(killed()).permissions() & kOthers, fs::perms::none);
  for (const char* folder : {"rocksdb", "journal", "staging"}) {
    EXPECT_EQ(fs::status(killed() / folder).permissions() & kOthers, fs::perms::none) << folder;
  }
  EXPECT_EQ(fs::status(killed() / "rocksdb" / "CURRENT").permissions() & kOthers, fs::perms::none);
}

}  // namespace
}  // namespace tidemark::fault
