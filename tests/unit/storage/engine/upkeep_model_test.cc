// A store against a plain map while everything that rewrites it is at work: merges, splits by a retention that goes on,
// deletions, renames, restarts, and bits that flip in lists of pages. What is read is always what the map has.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "store_fixture.h"
#include "tests/test_seed.h"

namespace tidemark::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStep = 1800 * kSecond;
constexpr int64_t kFirstDay = 1'700'000'000 * kSecond / (64 * kNsPerDay) * 64 - 64;
constexpr int kHosts = 3;

class UpkeepModelTest : public StoreFixture, public ::testing::WithParamInterface<int> {
 protected:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  [[nodiscard]] int64_t Today() const { return clock_.NowNs() / kNsPerDay - kFirstDay; }

  void WriteDays() {
    const int64_t first = Today() + 1 - static_cast<int64_t>(Below(kept_days_));
    const int64_t days = 1 + static_cast<int64_t>(Below(12));
    model::BatchBuilder rows;
    bool any = false;
    for (int64_t at = (kFirstDay + first) * kNsPerDay + kNsPerHour; at < (kFirstDay + first + days) * kNsPerDay;
         at += kStep) {
      const auto host = static_cast<int>(Below(kHosts));
      const double value =
          Below(3) == 0 ? static_cast<double>(Below(50)) : std::ldexp(static_cast<double>(random_()), -60);
      rows.Row("cpu", {{"host", fmt::format("h{}", host)}}, {at}).Field("usage", value);
      expected_[{host, at}] = value;
      any = true;
    }
    if (any) Write(rows.batch(), name_);
    Forget();
  }
  // What the retention hides by now.
  void Forget() {
    const int64_t floor_ns = clock_.NowNs() - static_cast<int64_t>(kept_days_) * kNsPerDay;
    std::erase_if(expected_, [&](const auto& row) { return row.first.second < floor_ns; });
  }
  void Delete() {
    const auto host = static_cast<int>(Below(kHosts));
    const int64_t first = (kFirstDay + Today() - static_cast<int64_t>(Below(kept_days_))) * kNsPerDay;
    const int64_t last = first + static_cast<int64_t>(Below(10 * 24)) * kNsPerHour;
    DeleteRequest request;
    request.selectors.push_back({Equal("host", fmt::format("h{}", host))});
    request.range = {{first}, {last}};
    ASSERT_TRUE(store_->Delete(name_, request).ok());
    std::erase_if(expected_, [&](const auto& row) {
      return row.first.first == host && row.first.second >= first && row.first.second <= last;
    });
  }
  void Rename() {
    const std::string to = fmt::format("db{}", ++renames_);
    ASSERT_TRUE(store_->RenameDatabase(name_, to).ok());
    name_ = to;
  }
  void Advance() {
    const auto days = static_cast<int64_t>(Below(6));
    clock_.Advance(days * kNsPerDay);
    Forget();
    // What still takes rows from memory is not split.
    ASSERT_TRUE(store_->Checkpoint().ok());
    ASSERT_TRUE(store_->ApplyRetention().ok());
    // Less than a partition of what is too old lies on disk.
    auto view = store_->OpenView(name_);
    ASSERT_TRUE(view.ok());
    for (const PartitionInfo& partition : (*view)->Partitions()) {
      const int64_t floor_ns = clock_.NowNs() - static_cast<int64_t>(kept_days_) * kNsPerDay;
      ASSERT_GE(partition.bounds.first.ns, floor_ns - kNsPerDay);
    }
  }
  void Restart() {
    ASSERT_TRUE(store_->Close().ok());
    StoreFixture::Open(Options());
  }
  // Flips a bit of the list of pages of some file where that has a block of its own.
  void Flip() {
    constexpr size_t kOwnBlock = 16'000;
    ASSERT_TRUE(store_->Close().ok());
    store_.reset();
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() + "/data/rocksdb")) {
      if (entry.path().extension() == ".sst") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::shuffle(paths.begin(), paths.end(), random_);
    for (const std::filesystem::path& path : paths) {
      std::string bytes;
      {
        std::ifstream file(path, std::ios::binary);
        bytes.assign((std::istreambuf_iterator<char>(file)), {});
      }
      const std::string key = std::string(1, '\xff') + std::string(16, '\0');
      const size_t at = bytes.find(key);
      if (!bytes.contains("tidemark.epoch") || at == std::string::npos || at < kOwnBlock) continue;
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at + key.size() + 20));
      file.put(static_cast<char>(bytes[at + key.size() + 20] ^ 4));
      ++flips_;
      break;
    }
    StoreFixture::Open(Options());
  }
  void Check() {
    auto view = store_->OpenView(name_);
    ASSERT_TRUE(view.ok()) << view.error().message;
    size_t seen = 0;
    bool told = false;
    for (int host = 0; host < kHosts; ++host) {
      auto refs = (*view)->Select(std::vector<model::Matcher>{Equal("host", fmt::format("h{}", host))}, {});
      ASSERT_TRUE(refs.ok()) << refs.error().message;
      auto cursor = (*view)->Scan(*refs, {});
      model::Column column;
      for (;;) {
        auto more = cursor->Next(&column);
        ASSERT_TRUE(more.ok()) << more.error().message;
        if (!*more) break;
        for (size_t i = 0; i < column.size(); ++i) {
          const auto found = expected_.find({host, column.times[i]});
          ASSERT_TRUE(found != expected_.end()) << "h" << host << " at " << column.times[i] << " is not there";
          ASSERT_EQ(ValueOf(column, i), model::FieldValue(found->second)) << host;
        }
        seen += column.size();
      }
      told = told || !cursor->warnings().empty();
    }
    ASSERT_EQ(seen, expected_.size());
    ASSERT_FALSE(told);
  }
  void Step() {
    switch (Below(9)) {
      case 0:
      case 1: return WriteDays();
      case 2: ASSERT_TRUE(store_->Checkpoint().ok()); return;
      case 3: {
        const auto done = store_->Compact(name_, {}, nullptr);
        ASSERT_TRUE(done.ok()) << done.error().message;
        ASSERT_TRUE(done->left.empty());
        return;
      }
      case 4: return Advance();
      case 5: return Delete();
      case 6: return Rename();
      case 7:
        for (int i = 0; i < 5; ++i) {
          ASSERT_TRUE(store_->RunMaintenance().ok());
          clock_.Advance(700 * kSecond);
        }
        Forget();
        return;
      default: return Below(2) == 0 ? Restart() : Flip();
    }
  }

  std::mt19937_64 random_;
  std::map<std::pair<int, int64_t>, double> expected_;
  std::string name_ = "db0";
  uint64_t kept_days_ = 0;
  int renames_ = 0;
  int flips_ = 0;
};

TEST_P(UpkeepModelTest, WhatIsReadIsWhatIsKept) {
  random_.seed(TestSeed() + static_cast<uint64_t>(GetParam()));
  // Long enough for partitions of 64 days, or of eight.
  kept_days_ = GetParam() % 2 == 0 ? 520 : 70;
  clock_.Set((kFirstDay + 800) * kNsPerDay);
  StoreFixture::Open(Options());
  DatabaseOptions options;
  options.retention_ns = static_cast<int64_t>(kept_days_) * kNsPerDay;
  ASSERT_TRUE(store_->CreateDatabase(name_, options).ok());
  WriteDays();
  for (int step = 0; step < 120; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    ASSERT_NO_FATAL_FAILURE(Step());
    ASSERT_NO_FATAL_FAILURE(Check());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, UpkeepModelTest, ::testing::Range(0, 4));

}  // namespace
}  // namespace tidemark::storage
