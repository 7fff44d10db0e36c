// Partitions that are damaged: whatever folds passes over them, does the others, and says what it has left.
#include <fmt/core.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "storage/verify.h"
#include "store_fixture.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = kNsPerDay;
constexpr int64_t kFirstDay = 1'700'000'000 * kSecond / (64 * kDay) * 64 - 64;

class UnreadableTest : public StoreFixture {
 protected:
  void OpenWith(int64_t longest_merge_ns) {
    StoreOptions options = Options();
    options.longest_merge_ns = longest_merge_ns;
    StoreFixture::Open(options);
    longest_ = longest_merge_ns;
  }
  // What cannot be made smaller, of 25 series: two pages a day, so that the second is in the middle of a file.
  void WriteDays(int64_t first, int64_t count) {
    for (int64_t day = first; day < first + count; ++day) {
      model::BatchBuilder rows;
      for (int64_t at = (kFirstDay + day) * kDay; at < (kFirstDay + day + 1) * kDay; at += 300 * kSecond) {
        for (int host = 0; host < 25; ++host) {
          rows.Row("cpu", {{"host", fmt::format("h{}", host)}}, {at})
              .Field("usage", std::ldexp(static_cast<double>(random_()), -70));
        }
      }
      Write(rows.batch());
    }
  }
  // Flips a bit of the second page of each of `files`, of those that there are, in the order in which they were made,
  // or of what lies at another place.
  void Damage(const std::set<size_t>& files, std::streamoff place = 40'000) {
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/data/rocksdb")) {
      if (entry.path().extension() != ".sst") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)), {});
      // Of pages, and not of names or records.
      if (bytes.contains("tidemark.")) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const size_t i : files) {
      ASSERT_LT(i, paths.size());
      std::fstream file(paths[i], std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(place);
      const char bits = static_cast<char>(file.get() ^ 4);
      file.seekp(place);
      file.put(bits);
    }
    OpenWith(longest_);
  }
  std::vector<PartitionInfo> Partitions() {
    auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    return (*view)->Partitions();
  }
  // Flips a bit of the list of pages of the only file of pages that is large, of each of `places` of it, and so many
  // bytes before the list where `before` is not 0.
  void DamageList(const std::set<size_t>& places, size_t before = 0) {
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    std::filesystem::path largest;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/data/rocksdb")) {
      if (entry.path().extension() != ".sst") continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)) largest = entry.path();
    }
    std::string bytes;
    {
      std::ifstream file(largest, std::ios::binary);
      bytes.assign((std::istreambuf_iterator<char>(file)), {});
    }
    // What its key ends with: the tier of lists, and nothing of a page.
    const std::string key = std::string(1, '\xff') + std::string(16, '\0');
    const size_t at = bytes.find(key);
    ASSERT_NE(at, std::string::npos);
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    const auto flip = [&](size_t place) {
      file.seekp(static_cast<std::streamoff>(place));
      file.put(static_cast<char>(bytes[place] ^ 4));
    };
    flip(at + key.size() + 30);
    for (const size_t place : places) flip(place);
    if (before != 0) flip(at - before);
    file.close();
    OpenWith(longest_);
  }
  // What cannot be made smaller, of 60 series, so that there are many pages.
  void WriteNoise(int64_t days) {
    std::mt19937_64 random(7);
    for (int64_t day = 0; day < days; ++day) {
      model::BatchBuilder rows;
      for (int64_t at = (kFirstDay + day) * kDay; at < (kFirstDay + day + 1) * kDay; at += 3600 * kSecond) {
        for (int host = 0; host < 60; ++host) {
          const double value = std::ldexp(static_cast<double>(random()), -70);
          rows.Row("cpu", {{"host", fmt::format("h{}", host)}}, {at}).Field("usage", value);
          expected_[{host, at}] = value;
        }
      }
      Write(rows.batch());
    }
  }
  // Shows the rows that can be read, column by column; whether something was said to be missing.
  template <typename See>
  bool Scan(std::span<const model::Matcher> matchers, const See& see) {
    auto view = store_->OpenView("");
    EXPECT_TRUE(view.ok());
    auto refs = (*view)->Select(matchers, {});
    EXPECT_TRUE(refs.ok());
    auto cursor = (*view)->Scan(*refs, {});
    model::Column column;
    for (;;) {
      auto more = cursor->Next(&column);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) break;
      see(column);
    }
    return !cursor->warnings().empty();
  }
  // Whether all rows of host n that are there are as they were written; how many there are.
  size_t CheckHost(int host, bool* partial) {
    size_t rows = 0;
    const std::vector<model::Matcher> matchers{Equal("host", fmt::format("h{}", host))};
    const bool missing = Scan(matchers, [&](const model::Column& column) {
      for (size_t i = 0; i < column.size(); ++i) {
        const auto found = expected_.find({host, column.times[i]});
        if (found == expected_.end() || ValueOf(column, i) != model::FieldValue(found->second)) ADD_FAILURE() << i;
      }
      rows += column.size();
    });
    *partial = *partial || missing;
    return rows;
  }
  std::pair<size_t, bool> CheckHosts() {
    size_t rows = 0;
    bool partial = false;
    for (int host = 0; host < 60; ++host) rows += CheckHost(host, &partial);
    return {rows, partial};
  }
  uint64_t Damages() {
    const auto report = Verify({.directory = directory_.path() + "/data", .on_damage = {}, .on_progress = {}});
    EXPECT_TRUE(report.ok());
    return report.ok() ? report->damages : 0;
  }

  // Rows that can be read, and whether something was said to be missing.
  std::pair<size_t, bool> CountRows() {
    size_t rows = 0;
    const bool missing = Scan({}, [&](const model::Column& column) { rows += column.size(); });
    return {rows, missing};
  }
  size_t PageFindings() {
    size_t count = 0;
    for (const model::Finding& finding : store_->Findings()) {
      if (finding.area != model::FindingArea::kPages) continue;
      EXPECT_FALSE(finding.stops_writes);
      EXPECT_THAT(finding.place, testing::HasSubstr("first series cpu_usage{host=")) << model::Describe(finding);
      ++count;
    }
    return count;
  }

  std::mt19937_64 random_{7};
  int64_t longest_ = 0;
  std::map<std::pair<int, int64_t>, double> expected_;
};

TEST_F(UnreadableTest, ACompactionDoesAllOtherPartitions) {
  OpenWith(0);
  for (int round = 0; round < 2; ++round) {
    WriteDays(0, 10);
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  Damage({3, 7});
  auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  ASSERT_EQ(done->left.size(), 2U);
  EXPECT_LT(done->left[0].bounds.first.ns, done->left[1].bounds.first.ns);
  for (const PartitionLeft& left : done->left) {
    EXPECT_EQ(left.bounds.last.ns - left.bounds.first.ns, kDay - 1);
    EXPECT_THAT(left.why, testing::HasSubstr("cannot be read"));
  }
  size_t sealed = 0;
  for (const PartitionInfo& partition : Partitions()) sealed += partition.sealed ? 1 : 0;
  EXPECT_EQ(sealed, 8U);
  EXPECT_EQ(store_->Stats().epochs, 8U + 2 * 2U) << "what is damaged stays as it is";
  EXPECT_EQ(store_->Stats().partitions_left, 2U);
  EXPECT_EQ(PageFindings(), 2U);
  // And again: it is tried, and told, again.
  done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->left.size(), 2U);
}

TEST_F(UnreadableTest, TheBackgroundDoesAllOtherPartitions) {
  OpenWith(0);
  for (int round = 0; round < 2; ++round) {
    WriteDays(0, 10);
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  Damage({0, 5});
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(store_->RunMaintenance().ok());
    clock_.Advance(700 * kSecond);
  }
  EXPECT_EQ(store_->Stats().sealed_epochs, 8U);
  EXPECT_EQ(store_->Stats().seal_failures, 2U) << "each is tried once";
  EXPECT_EQ(store_->Stats().partitions_left, 2U);
  EXPECT_EQ(PageFindings(), 2U);
}

TEST_F(UnreadableTest, AMergeLeavesADamagedPartitionAndSaysSo) {
  OpenWith(64 * kDay);
  WriteDays(0, 64);
  ASSERT_TRUE(store_->Checkpoint().ok());
  // Sealed already: nothing but the merge would look at them.
  ASSERT_TRUE(store_->Close().ok());
  OpenWith(0);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().sealed_epochs, 64U);
  ASSERT_TRUE(store_->Close().ok());
  OpenWith(64 * kDay);
  Damage({10});
  const auto [rows, partial] = CountRows();
  ASSERT_TRUE(partial);
  auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  ASSERT_EQ(done->left.size(), 1U) << "the merge met damage, and must not end as if it had not";
  // Seven times eight days are merged all the same; of the other eight none is touched.
  EXPECT_EQ(store_->Stats().merges, 7U);
  EXPECT_EQ(store_->Stats().partitions, 7U + 8U);
  EXPECT_EQ(CountRows(), std::pair(rows, true)) << "nothing has become worse, and it is told still";
  EXPECT_EQ(PageFindings(), 1U);
}

TEST_F(UnreadableTest, TheBackgroundMergesAroundIt) {
  OpenWith(0);
  WriteDays(0, 64);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().sealed_epochs, 64U);
  longest_ = 64 * kDay;
  Damage({10});
  const auto [rows, partial] = CountRows();
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(store_->RunMaintenance().ok());
    clock_.Advance(700 * kSecond);
  }
  EXPECT_EQ(store_->Stats().partitions, 7U + 8U);
  EXPECT_EQ(store_->Stats().partitions_left, 1U);
  EXPECT_EQ(CountRows(), std::pair(rows, true));
  EXPECT_EQ(PageFindings(), 1U);
}

TEST_F(UnreadableTest, ADamagedListOfPagesCostsNothingAndACompactionWritesItAnew) {
  OpenWith(64 * kDay);
  WriteNoise(16);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().partitions, 1U);
  DamageList({});
  EXPECT_EQ(CheckHosts(), std::pair(expected_.size(), false)) << "each page says itself what it is";
  const auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(done->left.empty());
  CloseAndOpen();
  EXPECT_EQ(CheckHosts(), std::pair(expected_.size(), false));
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  EXPECT_EQ(Damages(), 0U) << "and it is mended";
}

TEST_F(UnreadableTest, ADamagedListAndADamagedPageCostThatPageOnly) {
  OpenWith(64 * kDay);
  WriteNoise(16);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().partitions, 1U);
  DamageList({80'000});
  const auto [rows, partial] = CheckHosts();
  EXPECT_TRUE(partial) << "what cannot be found is told";
  EXPECT_LT(rows, expected_.size());
  // Pages have at most 64 KiB; what is noise takes eight bytes a value.
  EXPECT_GT(rows, expected_.size() - 9000);
  // It is not folded away, since a repair may know more.
  const auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->left.size(), 1U);
  EXPECT_EQ(CheckHosts(), std::pair(rows, true));
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  EXPECT_GT(Damages(), 0U);
  std::string steps;
  const auto repaired = Repair({.directory = directory_.path() + "/data",
                                .aside = directory_.path() + "/aside",
                                .on_step = [&](std::string_view step) { steps += fmt::format("{}\n", step); }});
  ASSERT_TRUE(repaired.ok()) << repaired.error().message;
  EXPECT_TRUE(repaired->lost);
  EXPECT_THAT(steps, testing::HasSubstr(fmt::format("with {} values", expected_.size() - rows)));
  EXPECT_EQ(Damages(), 0U);
  OpenWith(64 * kDay);
  EXPECT_EQ(CheckHosts(), std::pair(rows, false)) << "everything that can be read is kept";
}

TEST_F(UnreadableTest, ADamagedListAndARollupCostNoRow) {
  OpenWith(64 * kDay);
  DatabaseOptions options;
  options.tiers = {{.width_ns = kNsPerHour, .keep_ns = 0}};
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  WriteNoise(16);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().partitions, 1U);
  // Rollups stand behind the rows.
  DamageList({}, 3'000);
  EXPECT_EQ(CheckHosts().first, expected_.size());
  ASSERT_TRUE(store_->Close().ok());
  store_.reset();
  EXPECT_GT(Damages(), 0U);
  std::string steps;
  const auto repaired = Repair({.directory = directory_.path() + "/data",
                                .aside = directory_.path() + "/aside",
                                .on_step = [&](std::string_view step) { steps += fmt::format("{}\n", step); }});
  ASSERT_TRUE(repaired.ok()) << repaired.error().message;
  EXPECT_FALSE(repaired->lost) << steps;
  EXPECT_THAT(steps, testing::HasSubstr("they are of rollups, which will be made again of the rows"));
  EXPECT_EQ(Damages(), 0U);
  OpenWith(64 * kDay);
  EXPECT_EQ(CheckHosts(), std::pair(expected_.size(), false));
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  EXPECT_EQ((*view)->Tiers(), std::vector<int64_t>{kNsPerHour}) << "they are made again";
}

TEST_F(UnreadableTest, ADamagedListAndPagesAtBothEndsCostThesePagesOnly) {
  OpenWith(64 * kDay);
  WriteNoise(16);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  ASSERT_EQ(store_->Stats().partitions, 1U);
  // The first page of the table, and another one: each costs the block it is in.
  DamageList({1'000, 80'000});
  const auto [rows, partial] = CheckHosts();
  EXPECT_TRUE(partial);
  EXPECT_LT(rows, expected_.size() - 4000);
  EXPECT_GT(rows, expected_.size() - 2 * 9000);
}

TEST_F(UnreadableTest, ATableThatIsDamagedWhereItBeginsHindersNothingBeforeIt) {
  OpenWith(0);
  for (int round = 0; round < 2; ++round) {
    WriteDays(0, 10);
    ASSERT_TRUE(store_->Checkpoint().ok());
  }
  Damage({3}, 1'000);
  const auto [rows, partial] = CountRows();
  EXPECT_TRUE(partial);
  // The day before it, too, and it is taken in where RocksDB reads nothing of what follows.
  auto done = store_->Compact("", {}, nullptr);
  ASSERT_TRUE(done.ok()) << done.error().message;
  ASSERT_EQ(done->left.size(), 1U);
  EXPECT_EQ(store_->Stats().sealed_epochs, 9U);
  EXPECT_EQ(CountRows(), std::pair(rows, true));
  // A checkpoint to the day before, as well: of much, which goes into meta in steps.
  WriteDays(2, 1);
  WriteDays(2, 1);
  ASSERT_TRUE(store_->Checkpoint().ok());
  EXPECT_EQ(CountRows(), std::pair(rows, true));
  CloseAndOpen();
  EXPECT_EQ(CountRows(), std::pair(rows, true));
}

TEST_F(UnreadableTest, SketchesAskOnlyPartitionsOfTheirRange) {
  OpenWith(0);
  DatabaseOptions options;
  options.tiers = {{kNsPerHour, 0}};
  ASSERT_TRUE(store_->CreateDatabase("default", options).ok());
  WriteDays(0, 1);
  for (int i = 0; i < 100; ++i) WriteDouble("few", (kFirstDay + 1) * kDay + (1 + i) * 60 * kSecond, i);
  clock_.Set((kFirstDay + 20) * kDay);
  ASSERT_TRUE(store_->Compact("", {}, nullptr).ok());
  options = store_->Databases()[0].options;
  options.retention_ns = 5 * kDay;
  ASSERT_TRUE(store_->SetDatabaseOptions("", options).ok());
  ASSERT_TRUE(store_->ApplyRetention().ok());
  DamageList({1'000});
  auto view = store_->OpenView("");
  ASSERT_TRUE(view.ok());
  const auto refs = (*view)->Select({}, {});
  ASSERT_TRUE(refs.ok());
  const auto look = [&](int64_t from_day) {
    uint64_t samples = 0;
    const auto cursor = (*view)->ScanSketches(
        *refs, {{(kFirstDay + from_day) * kDay + kNsPerHour + 1}, {(kFirstDay + 2) * kDay}}, kNsPerHour);
    for (SketchColumn column; *cursor->Next(&column);)
      samples += column.buckets == 0 ? 0 : column.ends[column.buckets - 1];
    return std::pair(samples > 0, !cursor->Warnings().empty());
  };
  EXPECT_EQ(look(1), std::pair(true, false)) << "the day before is damaged, and nobody asks for it";
  EXPECT_EQ(look(0), std::pair(true, true));
}

}  // namespace
}  // namespace tidemark::storage
