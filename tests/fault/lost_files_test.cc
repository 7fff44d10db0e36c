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
#include "damaged_store.h"
#include "directory_copy.h"
#include "directory_hashes.h"
#include "row_model.h"
#include "storage/base/clock.h"
#include "storage/base/failure_point.h"
#include "storage/model/finding_warnings.h"
#include "storage/storage.h"
#include "storage/verify.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kStarts = 3;

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

  // A store that is served read-only: every row that it shows is true, what it does not show it says with each answer,
  // and whatever would change it is refused with words that name the damage and the way on.
  static void ExpectReadOnly(storage::Store& store, const RowModel& rows, const std::string& named) {
    std::vector<std::string> said;
    const RowModel found = WithNames(rows, ReadPart(store, &said));
    // Of a database that is lost as a whole nobody gets a view; whoever asks for it is told these.
    if (store.Databases().size() < 2) said = model::WarningsOf(store.Findings());
    ASSERT_EQ(Untrue(rows, found), "");
    std::string findings;
    for (const model::Finding& finding : store.Findings()) findings += model::Describe(finding) + "\n";
    EXPECT_THAT(findings, ::testing::HasSubstr(named));
    EXPECT_TRUE(Difference(rows, found).empty() || !said.empty()) << Difference(rows, found);
    const auto refused = [](const auto& result) {
      ASSERT_FALSE(result.ok()) << "it was taken";
      EXPECT_EQ(result.error().code, ErrorCode::kUnavailable) << result.error().message;
      EXPECT_THAT(result.error().message, ::testing::HasSubstr("tidemark admin repair"));
    };
    refused(WriteRun(store, {.host = "new", .first_ns = kScenarioStartNs, .count = 1}));
    refused(store.CreateDatabase("new", {}));
    refused(store.DropDatabase("default"));
    refused(store.SetDatabaseOptions("default", {}));
    refused(store.Delete("default", {.selectors = {{{model::MatchOp::kEqual, "host", "a"}}}}));
    refused(store.Checkpoint());
    refused(store.Compact("default", {}, nullptr));
    refused(store.ApplyRetention());
    refused(store.AcceptClock());
    EXPECT_TRUE(store.RunMaintenance().ok());
    EXPECT_TRUE(store.Stats().read_only);
  }

  // Opens `data` again and again. A start that finds damage, or refuses, changes nothing; one that does not serves
  // `rows`. Returns how many found some.
  int StartRepeatedly(const fs::path& data, const RowModel& rows, bool must_find, const std::string& named) {
    int found_damage = 0;
    for (int start = 0; start < kStarts; ++start) {
      SCOPED_TRACE(fmt::format("start {}", start));
      const auto before = HashesOf(data);
      auto opened = Open(data);
      if (!opened.ok()) {
        EXPECT_THAT(opened.error().message, ::testing::HasSubstr(named));
        EXPECT_EQ(Changes(before, HashesOf(data)), "");
        ++found_damage;
        continue;
      }
      if ((*opened)->Stats().read_only) {
        ExpectReadOnly(**opened, rows, named);
        if (start % 2 == 0) Do((*opened)->Close());
        opened->reset();
        EXPECT_EQ(Changes(before, HashesOf(data)), "");
        ++found_damage;
        continue;
      }
      EXPECT_FALSE(must_find) << "nothing was found";
      auto found = ReadAll(**opened);
      EXPECT_TRUE(found.ok()) << found.error().message;
      EXPECT_EQ(found.ok() ? Difference(rows, *found) : std::string(), "");
    }
    return found_damage;
  }

  // A start that serves true rows, and says so where it lacks some.
  void ExpectTrueRows(const fs::path& data) {
    auto opened = Open(data);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    std::vector<std::string> said;
    const RowModel found = WithNames(rows_, ReadPart(**opened, &said));
    EXPECT_EQ(Untrue(rows_, found), "");
    EXPECT_TRUE(!said.empty() || Difference(rows_, found).empty()) << Difference(rows_, found);
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

  // A store that was repaired takes writes and is opened for writing the next time.
  void ExpectGoesOn(storage::Store& store, const fs::path& data) {
    auto written = WriteRun(store, {.database = "after", .first_ns = kScenarioStartNs, .count = 5});
    ASSERT_TRUE(written.ok()) << written.error().message;
    Do(store.Checkpoint());
    Do(store.Close());
    auto again = Open(data);
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_FALSE((*again)->Stats().read_only) << (*again)->Stats().read_only_reason;
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
      ASSERT_NO_FATAL_FAILURE(StartRepeatedly(data, rows_, /*must_find=*/true, name));
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
    refused += StartRepeatedly(data, cut.snapshot->rows, /*must_find=*/false, "") > 0 ? 1 : 0;
    ASSERT_FALSE(HasFailure());
    fs::copy_file(cut.snapshot->path / "rocksdb" / cut.log, data / "rocksdb" / cut.log,
                  fs::copy_options::overwrite_existing);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(data, cut.snapshot->rows));
  }
  std::cout << kCuts << " cuts of " << logs.size() << " logs, " << refused << " found and served read-only\n";
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
  ASSERT_NO_FATAL_FAILURE(StartRepeatedly(data, rows_, /*must_find=*/true, "RocksDB's log"));
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

// Whatever of RocksDB is damaged: after a repair the store takes writes, shows true rows only, and lacks none when the
// repair says that nothing is lost. Names that are lost cost no row.
TEST_F(LostFilesTest, ARepairMakesAStoreOfWhatCanBeRead) {
  std::mt19937_64 random(TestSeed());
  ASSERT_NO_FATAL_FAILURE(Work());
  const fs::path data = root() / "work";
  std::vector<std::string> victims = {"rocksdb"};
  for (const auto& entry : fs::directory_iterator(root() / "killed" / "rocksdb")) {
    const std::string name = entry.path().filename().string();
    const bool needed =
        name == "CURRENT" || name.starts_with("MANIFEST-") || name.ends_with(".sst") || name.ends_with(".log");
    if (needed && entry.file_size() > 0) victims.push_back("rocksdb/" + name);
  }
  int lossless = 0;
  int renamed = 0;
  int kept_names = 0;
  for (const std::string& victim : victims) {
    // With the copies of names and records beside RocksDB, and without, as in stores of older versions.
    const bool holds_names = victim.ends_with(".sst") && HoldsNames(root() / "killed" / victim);
    for (const auto& [how, copies] : std::vector<std::pair<std::string, bool>>{
             {"removed", true}, {"removed", false}, {"cut", true}, {"flipped", false}, {"flipped", holds_names}}) {
      if (victim == "rocksdb" && how != "removed") continue;
      CopyTo(root() / "killed", data);
      if (!copies) fs::remove_all(data / "copy");
      SCOPED_TRACE(Damage(data, victim, how, random) + (copies ? "" : ", without copies"));
      // A page that is flipped is found when it is read.
      if (victim.ends_with(".sst") && how == "flipped") {
        ExpectTrueRows(data);
      } else {
        StartRepeatedly(data, rows_, /*must_find=*/false, "");
      }
      ASSERT_FALSE(HasFailure());
      std::string steps;
      const auto repaired =
          storage::Repair({.directory = data.string(),
                           .aside = (data / "set-aside" / "one").string(),
                           .on_step = [&](std::string_view text) { steps += std::string(text) + "\n"; }});
      ASSERT_TRUE(repaired.ok()) << repaired.error().message << steps;
      EXPECT_TRUE(repaired->lost || victim != "rocksdb") << steps;
      auto opened = Open(data);
      ASSERT_TRUE(opened.ok()) << opened.error().message << steps;
      ASSERT_FALSE((*opened)->Stats().read_only) << (*opened)->Stats().read_only_reason << steps;
      std::vector<std::string> said;
      const RowModel shown = ReadPart(**opened, &said);
      const RowModel found = WithNames(rows_, shown);
      ASSERT_EQ(Untrue(rows_, found), "") << steps;
      if (holds_names) {
        EXPECT_EQ(RowsOf(found), RowsOf(rows_)) << steps;
        renamed += Difference(found, shown).empty() ? 0 : 1;
        if (copies) {
          EXPECT_EQ(Difference(rows_, shown), "") << "names that the copy has were made up: " << steps;
          kept_names += repaired->steps > 0 ? 1 : 0;
        }
      }
      if (victim == "rocksdb" && copies) {
        // Its pages are gone, what it was is not.
        std::vector<std::string> names;
        for (const storage::DatabaseInfo& database : (*opened)->Databases()) names.push_back(database.name);
        EXPECT_THAT(names, ::testing::UnorderedElementsAre("default", "other")) << steps;
      }
      if (!repaired->lost && said.empty()) {
        ASSERT_EQ(Difference(rows_, found), "") << steps;
        ++lossless;
      }
      SCOPED_TRACE(steps);
      ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(**opened, data));
    }
  }
  EXPECT_GT(lossless, 5) << "MANIFEST and CURRENT cost nothing";
  EXPECT_GT(renamed, 0) << "no name was ever lost";
  EXPECT_GT(kept_names, 0) << "no copy was ever needed";
}

// A block that RocksDB reads only to merge it: whoever meets it is told what to do, the store becomes as read-only as
// one that found damage when it was opened, and serves on. Where in the file such blocks lie is tried.
TEST_F(LostFilesTest, DamageThatIsMetAtWorkMakesTheStoreReadOnly) {
  std::mt19937_64 random(TestSeed());
  const fs::path data = root() / "data";
  {
    auto opened = Open(data);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    Write(**opened, {.host = "a", .first_ns = kScenarioStartNs, .count = 300});
    // A start does not read what is in documents.
    for (int i = 0; i < 8; ++i) {
      std::string text(20'000, ' ');
      for (char& byte : text) byte = static_cast<char>('!' + static_cast<int>(random() % 90));
      const auto put = (*opened)->Documents()->Put("rule", fmt::format("d{}", i), text, "somebody");
      ASSERT_TRUE(put.ok()) << put.error().message;
      AddDocument(&rows_, fmt::format("documents/rule/d{}", i), static_cast<int64_t>(*put), text);
    }
    Do((*opened)->Checkpoint());
    Do((*opened)->Close());
  }
  fs::path table;
  for (const auto& entry : fs::directory_iterator(data / "rocksdb")) {
    if (HoldsRecords(entry.path()) && (table.empty() || fs::file_size(table) < entry.file_size())) table = entry.path();
  }
  ASSERT_FALSE(table.empty());
  constexpr size_t kPlaces = 24;
  int met = 0;
  for (size_t place = 0; place < kPlaces; ++place) {
    SCOPED_TRACE(place);
    const fs::path copy = root() / "work";
    CopyTo(data, copy);
    std::string bytes = ReadFile(table);
    bytes[bytes.size() * place / kPlaces] ^= 1;
    std::ofstream(copy / "rocksdb" / table.filename(), std::ios::binary | std::ios::trunc) << bytes;
    auto opened = Open(copy);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    if ((*opened)->Stats().read_only) continue;  // found when it was opened
    RowModel rows = rows_;
    for (int i = 0; i < 20 && !(*opened)->Stats().read_only; ++i) {
      const RowRun run{.host = "b", .first_ns = kScenarioStartNs + i * 600 * kSecond, .count = 100};
      const auto written = WriteRun(**opened, run);
      if (written.ok()) AddRun(run, &rows);
      const auto done = written.ok() ? (*opened)->Checkpoint() : Result<void>(written.error());
      if (done.ok()) continue;
      EXPECT_EQ(done.error().code, ErrorCode::kUnavailable) << done.error().message;
      EXPECT_THAT(done.error().message, ::testing::HasSubstr("tidemark admin repair"));
    }
    if (!(*opened)->Stats().read_only) continue;
    ++met;
    ASSERT_NO_FATAL_FAILURE(ExpectReadOnly(**opened, rows, table.filename().string()));
    Do((*opened)->Close());
  }
  EXPECT_GT(met, 0) << "RocksDB never read what was damaged";
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
  StartRepeatedly(data, rows_, /*must_find=*/true, "rocksdb");
}

}  // namespace
}  // namespace tidemark::fault
