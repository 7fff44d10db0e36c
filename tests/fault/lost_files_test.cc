// What is missing in a data directory, or cut, is never made up for by a store that is empty: an open that refuses has
// changed no byte, however often it is tried, and when the file is back everything is served. Nothing is deleted
// before what replaces it lies in a table file, so that a log of RocksDB's that is cut after a kill costs no row.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "crash_scenarios.h"
#include "directory_copy.h"
#include "row_model.h"
#include "storage/base/clock.h"
#include "storage/base/failure_point.h"
#include "storage/base/hash.h"
#include "storage/storage.h"
#include "storage/verify.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kStarts = 3;

// Each file below `root` with the hash of its bytes; directories with 0.
std::map<std::string, uint64_t> HashesOf(const fs::path& root) {
  std::map<std::string, uint64_t> hashes;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string bytes = entry.is_regular_file() ? ReadFile(entry.path()) : std::string();
    hashes[fs::relative(entry.path(), root).string()] = entry.is_regular_file() ? Hash64(bytes, /*seed=*/0) : 0;
  }
  return hashes;
}

// What changed from `before` to `after`; "" when nothing did.
std::string Changes(const std::map<std::string, uint64_t>& before, const std::map<std::string, uint64_t>& after) {
  std::string text;
  for (const auto& [name, hash] : before) {
    const auto found = after.find(name);
    if (found == after.end()) text += name + " is gone; ";
    if (found != after.end() && found->second != hash) text += name + " is another; ";
  }
  for (const auto& [name, _] : after) {
    if (!before.contains(name)) text += name + " is new; ";
  }
  return text;
}

// The directory as a kill would leave it, at one place of the work, and the rows that were acknowledged by then.
struct Snapshot {
  std::string name;
  fs::path path;
  RowModel rows;
};

// Copies `data` whenever one of the points is reached: nothing is between a copy and a kill at that moment, because
// what was written is in the files whether it was synced or not. The handler is a plain function, hence the globals.
struct Recorder {
  fs::path data;
  fs::path to;
  const RowModel* rows = nullptr;
  std::vector<Snapshot> taken;
};
Recorder* recorder = nullptr;

constexpr auto kCopiedAt = std::to_array<std::string_view>({"checkpoint.committed", "checkpoint.flushed",
                                                            "checkpoint.trimmed", "fold.published", "files.flushed",
                                                            "files.dropped", "database.created", "close.flushed"});

void CopyAtPoint(size_t index) {
  const std::string_view name = kFailurePoints[index];
  if (std::find(kCopiedAt.begin(), kCopiedAt.end(), name) == kCopiedAt.end()) return;
  const fs::path path = recorder->to / fmt::format("{}-{}", recorder->taken.size(), name);
  CopyTo(recorder->data, path);
  recorder->taken.push_back({path.filename().string(), path, *recorder->rows});
}

class LostFilesTest : public ::testing::Test {
 protected:
  LostFilesTest() {
    recorder_.data = root() / "data";
    recorder_.to = root() / "copies";
    recorder_.rows = &rows_;
  }
  ~LostFilesTest() override { ArmFailurePoints(nullptr); }

  [[nodiscard]] fs::path root() const { return directory_.path(); }

  [[nodiscard]] Result<std::unique_ptr<storage::Store>> Open(const fs::path& data) {
    static const CrashScenario plain{"plain", {}, {}, {}};
    storage::StoreOptions options = ScenarioOptions(plain, data.string(), &clock_);
    options.journal_segment_bytes = 64 << 10;
    return storage::Store::Open(std::move(options));
  }

  void Write(storage::Store& store, const RowRun& run) {
    auto written = WriteRun(store, run);
    ASSERT_TRUE(written.ok()) << written.error().message;
    AddRun(run, &rows_);
  }
  static void Do(const Result<void>& done) { ASSERT_TRUE(done.ok()) << done.error().message; }

  // A store with epochs in files, small and folded ones, two databases, deletions and rows in the journal. Leaves the
  // directory as a kill at its end would, and copies of it from on the way.
  void Work() {
    recorder = &recorder_;
    ArmFailurePoints(CopyAtPoint);
    auto opened = Open(recorder_.data);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    storage::Store& store = **opened;
    for (int i = 0; i < 4; ++i) {
      Write(store, {.host = "a", .first_ns = kScenarioStartNs + i * 100 * kSecond, .count = 300, .value = 10 * i});
      Write(store, {.host = fmt::format("h{}", i), .first_ns = kScenarioStartNs, .count = 200});
      Do(store.Checkpoint());
    }
    Do(store.RunMaintenance());  // folds
    Do(store.CreateDatabase("other", {.partition_ns = storage::kNsPerHour}));
    Write(store, {.database = "other", .first_ns = kScenarioStartNs, .count = 300});
    Do(store.Checkpoint());
    Write(store, {.host = "late", .first_ns = kScenarioStartNs, .count = 300});
    auto compacted = store.Compact("default", {}, nullptr);
    ASSERT_TRUE(compacted.ok()) << compacted.error().message;
    Write(store, {.host = "newest", .first_ns = kScenarioStartNs, .count = 200});
    CopyTo(recorder_.data, root() / "killed");
    Do(store.Close());
    ArmFailurePoints(nullptr);
  }

  // Opens `data` again and again. A start that refuses changes nothing; one that does not serves `rows`.
  void StartRepeatedly(const fs::path& data, const RowModel& rows, bool must_refuse, const std::string& named) {
    for (int start = 0; start < kStarts; ++start) {
      SCOPED_TRACE(fmt::format("start {}", start));
      const auto before = HashesOf(data);
      auto opened = Open(data);
      if (!opened.ok()) {
        EXPECT_THAT(opened.error().message, ::testing::HasSubstr(named));
        EXPECT_EQ(Changes(before, HashesOf(data)), "");
        continue;
      }
      ASSERT_FALSE(must_refuse) << "it was opened";
      auto found = ReadAll(**opened);
      ASSERT_TRUE(found.ok()) << found.error().message;
      ASSERT_EQ(Difference(rows, *found), "");
    }
  }

  void ExpectWhole(const fs::path& data, const RowModel& rows) {
    auto opened = Open(data);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    auto found = ReadAll(**opened);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(Difference(rows, *found), "");
    // And it goes on.
    Do((*opened)->Checkpoint());
    Do((*opened)->Close());
  }

  TempDirectory directory_;
  ManualClock clock_{kScenarioStartNs};
  Recorder recorder_;
  RowModel rows_;
};

TEST_F(LostFilesTest, AFileThatIsMissingChangesNothingAndServesAllWhenItIsBack) {
  ASSERT_NO_FATAL_FAILURE(Work());
  const fs::path data = root() / "work";
  const fs::path away = root() / "away";
  std::vector<std::string> victims = {"rocksdb"};
  size_t tables = 0;
  for (const auto& entry : fs::directory_iterator(root() / "killed" / "rocksdb")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".sst")) ++tables;
    if (name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst"))
      victims.push_back("rocksdb/" + name);
  }
  ASSERT_GE(tables, 4U);
  for (const bool with_identity : {true, false}) {
    for (const std::string& victim : victims) {
      SCOPED_TRACE(fmt::format("{}, {} an identity file", victim, with_identity ? "with" : "without"));
      CopyTo(root() / "killed", data);
      if (!with_identity) fs::remove(data / "identity");
      fs::rename(data / victim, away);
      const std::string name = fs::path(victim).filename().string();
      ASSERT_NO_FATAL_FAILURE(StartRepeatedly(data, rows_, /*must_refuse=*/true, name));
      fs::rename(away, data / victim);
      ASSERT_NO_FATAL_FAILURE(ExpectWhole(data, rows_));
    }
  }
}

// What was deleted so far was superfluous by what table files say: RocksDB's log may be cut anywhere.
TEST_F(LostFilesTest, ALogThatIsCutAnywhereCostsNoRow) {
  std::mt19937_64 random(TestSeed());
  ASSERT_NO_FATAL_FAILURE(Work());
  recorder_.taken.push_back({"killed", root() / "killed", rows_});
  struct Cut {
    const Snapshot* snapshot;
    std::string log;
    uintmax_t bytes;
  };
  std::vector<Cut> logs;
  for (const Snapshot& snapshot : recorder_.taken) {
    for (const auto& entry : fs::directory_iterator(snapshot.path / "rocksdb")) {
      if (entry.path().extension() != ".log" || entry.file_size() == 0) continue;
      logs.push_back({&snapshot, entry.path().filename().string(), entry.file_size()});
    }
  }
  ASSERT_GE(logs.size(), 8U) << "too few places where something lies in the log";
  const fs::path data = root() / "work";
  int refused = 0;
  constexpr int kCuts = 200;
  for (int i = 0; i < kCuts; ++i) {
    const Cut& cut = logs[static_cast<size_t>(i) % logs.size()];
    // Logs are reserved ahead: most of their length may be nothing.
    const std::string bytes = ReadFile(cut.snapshot->path / "rocksdb" / cut.log);
    const size_t used = bytes.find_last_not_of('\0') + 1;
    const uint64_t at = random() % (used + 1);
    SCOPED_TRACE(fmt::format("{}: {} of {} bytes cut at {}", cut.snapshot->name, cut.log, used, at));
    CopyTo(cut.snapshot->path, data);
    fs::resize_file(data / "rocksdb" / cut.log, at);
    const auto before = HashesOf(data);
    ASSERT_NO_FATAL_FAILURE(StartRepeatedly(data, cut.snapshot->rows, /*must_refuse=*/false, ""));
    if (HashesOf(data) == before) ++refused;
    fs::copy_file(cut.snapshot->path / "rocksdb" / cut.log, data / "rocksdb" / cut.log,
                  fs::copy_options::overwrite_existing);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(data, cut.snapshot->rows));
  }
  std::cout << kCuts << " cuts of " << logs.size() << " logs, " << refused << " refused to start\n";
}

TEST_F(LostFilesTest, AnOpenDeletesNoTableAndNothingStaged) {
  ASSERT_NO_FATAL_FAILURE(Work());
  const auto left = std::find_if(recorder_.taken.begin(), recorder_.taken.end(),
                                 [](const Snapshot& taken) { return taken.name.ends_with("fold.published"); });
  ASSERT_NE(left, recorder_.taken.end());
  std::ofstream(left->path / "staging" / "epoch-7.sst") << "left by a crash";
  const auto before = HashesOf(left->path);
  {
    auto opened = Open(left->path);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const auto after = HashesOf(left->path);
    for (const auto& [name, hash] : before) {
      if (!name.ends_with(".sst")) continue;
      ASSERT_TRUE(after.contains(name)) << name << " was deleted by an open";
      EXPECT_EQ(after.at(name), hash) << name;
    }
    Do((*opened)->Checkpoint());
    EXPECT_FALSE(fs::exists(left->path / "staging" / "epoch-7.sst"));
  }
  ExpectWhole(left->path, left->rows);
}

// Its rows are in the journal, and only the log that is gone names it: what a start refuses, verify finds.
TEST_F(LostFilesTest, ADatabaseThatOnlyALostLogNamesIsFoundByStartAndVerify) {
  const fs::path data = root() / "data";
  const fs::path killed = root() / "killed";
  {
    auto opened = Open(data);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Write(**opened, {.host = "a", .first_ns = kScenarioStartNs, .count = 50});
    Do((*opened)->Checkpoint());
    Do((*opened)->CreateDatabase("late", {.partition_ns = storage::kNsPerHour}));
    Write(**opened, {.database = "late", .first_ns = kScenarioStartNs, .count = 50});
    CopyTo(data, killed);
  }
  CopyTo(killed, data);
  for (const auto& entry : fs::directory_iterator(data / "rocksdb")) {
    if (entry.path().extension() == ".log") fs::remove(entry.path());
  }
  ASSERT_NO_FATAL_FAILURE(StartRepeatedly(data, rows_, /*must_refuse=*/true, "RocksDB's log"));
  std::string found;
  const auto report = storage::Verify({.directory = data.string(),
                                       .on_damage = [&](const storage::Damage& damage) { found += damage.what; },
                                       .on_progress = {}});
  ASSERT_TRUE(report.ok()) << report.error().message;
  // The records without a database, and that RocksDB is behind what was committed.
  EXPECT_EQ(report->damages, 2U);
  EXPECT_THAT(found, ::testing::HasSubstr("RocksDB's log"));
  EXPECT_THAT(found, ::testing::HasSubstr("that were committed are missing"));
  CopyTo(killed, data);
  ASSERT_NO_FATAL_FAILURE(ExpectWhole(data, rows_));
}

TEST_F(LostFilesTest, AnEmptyDirectoryAndAMissingOneBecomeStores) {
  fs::create_directories(root() / "empty");
  for (const char* name : {"empty", "missing"}) {
    auto opened = Open(root() / name);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_THAT(ReadFile(root() / name / "identity"), ::testing::HasSubstr("state ready"));
  }
}

TEST_F(LostFilesTest, ADamagedIdentityIsWrittenAnewAndCostsNothing) {
  ASSERT_NO_FATAL_FAILURE(Work());
  const fs::path data = root() / "killed";
  std::string text = ReadFile(data / "identity");
  text[text.size() / 2] ^= 1;
  std::ofstream(data / "identity", std::ios::trunc) << text;
  ASSERT_NO_FATAL_FAILURE(ExpectWhole(data, rows_));
  EXPECT_THAT(ReadFile(data / "identity"), ::testing::HasSubstr("state ready"));
  // It still says that a store is here.
  text = ReadFile(data / "identity");
  text[text.size() / 2] ^= 1;
  std::ofstream(data / "identity", std::ios::trunc) << text;
  fs::remove_all(data / "rocksdb");
  StartRepeatedly(data, rows_, /*must_refuse=*/true, "rocksdb");
}

}  // namespace
}  // namespace tidemark::fault
