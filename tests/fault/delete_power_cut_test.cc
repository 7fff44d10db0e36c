// Power cuts at random calls while points are written and deleted, and checkpoints, folds and compactions go on: what
// was acknowledged stays, what was deleted does not come back, and nothing is made up.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "forgetful_file_system.h"
#include "storage/base/clock.h"
#include "storage/model/batch.h"
#include "storage/storage.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::fault {
namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int kWriters = 3;

// What a store has promised. Thread-safe; each writer has series of its own, and its values grow with every write.
class Ledger {
 public:
  void Write(storage::Store& store, int writer, std::mt19937_64& random) {
    model::BatchBuilder builder;
    std::vector<std::pair<RowName, int64_t>> rows;
    {
      const std::lock_guard lock(mutex_);
      for (size_t count = 1 + random() % 15; count > 0; --count) {
        const int64_t next = ++next_[writer];
        const std::string host = HostOf(writer, random);
        int64_t time = kNow - next * kSecond;
        if (random() % 4 == 0) time = kNow - static_cast<int64_t>(random() % 8) * 900 * kSecond;  // over and over
        builder.Row("m", {{"host", host}}, {time}).Field("value", next);
        rows.push_back({{host, time}, next});
        cells_[{host, time}].sent = next;
      }
    }
    auto report = store.Write("", builder.batch());
    if (!report.ok() || report->rows_rejected != 0) return;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, value] : rows) cells_[name].acknowledged = value;
    acknowledged_ += rows.size();
  }

  void Delete(storage::Store& store, int writer, std::mt19937_64& random) {
    const std::string host = HostOf(writer, random);
    storage::DeleteRequest request;
    request.selectors.push_back({{model::MatchOp::kEqual, "host", host}});
    if (random() % 3 != 0) {
      request.range.first.ns = kNow - static_cast<int64_t>(random() % 9000) * kSecond;
      request.range.last.ns = request.range.first.ns + static_cast<int64_t>(random() % 4000) * kSecond;
    }
    const bool done = store.Delete("", request).ok();
    const std::lock_guard lock(mutex_);
    deleted_ += done ? 1 : 0;
    for (auto& [name, cell] : cells_) {
      if (name.first != host || !request.range.Contains({name.second})) continue;
      // One that failed may be on disk all the same.
      cell.acknowledged = kNone;
      if (done) cell.gone = cell.sent;
    }
  }

  [[nodiscard]] std::string Check(const storage::Store& store) const {
    const std::lock_guard lock(mutex_);
    std::map<RowName, Cell> left = cells_;
    if (auto view = store.OpenView(""); view.ok()) {
      auto refs = (*view)->Select({}, {});
      if (!refs.ok()) return refs.error().message;
      auto cursor = (*view)->Scan(*refs, {});
      model::Column column;
      model::LabelViews labels;
      for (const model::SeriesRef ref : *refs) {
        auto more = cursor->Next(&column);
        if (!more.ok()) return more.error().message;
        (*view)->LabelsOf(ref, &labels);
        std::string host;
        for (const model::LabelView& label : labels) {
          if (label.name == "host") host = label.value;
        }
        for (size_t i = 0; i < column.size(); ++i) {
          const auto found = left.find({host, column.times[i]});
          const std::string what = fmt::format("{} at {} is {}", host, column.times[i], column.ints[i]);
          if (found == left.end()) return what + ", which was never sent";
          const Cell& cell = found->second;
          if (column.ints[i] <= cell.gone) return fmt::format("{}, which was deleted", what);
          if (column.ints[i] < cell.acknowledged || column.ints[i] > cell.sent) {
            return fmt::format("{}, acknowledged was {}, sent at most {}", what, cell.acknowledged, cell.sent);
          }
          left.erase(found);
        }
      }
      if (!cursor->warnings().empty()) return cursor->warnings()[0];
    }
    for (const auto& [name, cell] : left) {
      if (cell.acknowledged != kNone) return fmt::format("{} at {} is lost", name.first, name.second);
    }
    return {};
  }

  [[nodiscard]] uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] uint64_t deleted() const { return deleted_; }

 private:
  static constexpr int64_t kNone = -1;
  struct Cell {
    int64_t acknowledged = kNone;  // at least this is seen; kNone: perhaps nothing
    int64_t sent = kNone;
    int64_t gone = kNone;  // this and what came before must not be seen
  };
  using RowName = std::pair<std::string, int64_t>;  // host, time

  static std::string HostOf(int writer, std::mt19937_64& random) { return fmt::format("w{}h{}", writer, random() % 3); }

  mutable std::mutex mutex_;
  std::map<RowName, Cell> cells_;
  std::map<int, int64_t> next_;
  uint64_t acknowledged_ = 0;
  uint64_t deleted_ = 0;
};

uint64_t Seed() {
  const char* given = std::getenv("TIDEMARK_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "TIDEMARK_TEST_SEED=" << seed << "\n";
  return seed;
}

storage::StoreOptions Options(const std::string& directory, Clock* clock, std::shared_ptr<ForgetfulFileSystem> files) {
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = clock;
  options.background = false;
  options.file_system = std::move(files);
  options.new_database.partition_ns = storage::kNsPerHour;
  options.journal_segment_bytes = 64 << 10;
  options.max_epochs = 3;
  options.staged_bytes = 1;
  return options;
}

void Work(storage::Store& store, const ForgetfulFileSystem& files, ManualClock* clock, Ledger* ledger, uint64_t seed) {
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      std::mt19937_64 random(seed + static_cast<uint64_t>(writer));
      for (int i = 0; i < 50 && !files.off(); ++i) {
        if (random() % 5 == 0) {
          ledger->Delete(store, writer, random);
        } else {
          ledger->Write(store, writer, random);
        }
      }
    });
  }
  std::mt19937_64 random(seed + 100);
  for (int i = 0; i < 12 && !files.off(); ++i) {
    // Fails once the power is off; what counts is what is found afterwards.
    switch (random() % 4) {
      case 0: (void)store.Checkpoint().ok(); break;
      case 1: (void)store.Compact("default", {}, nullptr).ok(); break;
      default:
        clock->Advance(61 * kSecond);  // partitions of which much is deleted are rewritten
        (void)store.RunMaintenance().ok();
        break;
    }
  }
}

TEST(DeletePowerCutTest, WhatWasDeletedStaysDeletedAndTheRestStays) {
  std::mt19937_64 random(Seed());
  constexpr int kCuts = 80;
  constexpr int kCutsPerDirectory = 16;
  uint64_t acknowledged = 0;
  uint64_t deleted = 0;
  for (int first = 0; first < kCuts; first += kCutsPerDirectory) {
    const storage::TempDirectory directory;
    const std::string data = directory.path() + "/data";
    ManualClock clock(kNow);
    Ledger ledger;
    for (int cut = first; cut < first + kCutsPerDirectory; ++cut) {
      SCOPED_TRACE(cut);
      auto files = std::make_shared<ForgetfulFileSystem>(data);
      files->PowerOffAfter(1 + random() % (random() % 3 == 0 ? 60 : 600));
      const uint64_t seed = random();
      {
        auto store = storage::Store::Open(Options(data, &clock, files));
        if (store.ok()) {
          Work(**store, *files, &clock, &ledger, seed);
        } else {
          ASSERT_TRUE(files->off()) << store.error().message;
        }
        files->PowerOffAfter(1);
      }
      files->RestoreDurable(random());
      auto store = storage::Store::Open(Options(data, &clock, nullptr));
      ASSERT_TRUE(store.ok()) << store.error().message;
      ASSERT_EQ(ledger.Check(**store), "");
      EXPECT_EQ((*store)->Stats().corrupt_pages, 0U);
    }
    acknowledged += ledger.acknowledged();
    deleted += ledger.deleted();
  }
  std::cout << acknowledged << " rows and " << deleted << " deletions acknowledged over " << kCuts << " cuts\n";
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_GT(deleted, 50U);
}

// A call that fails once, without a power cut: the store says so or does it, and goes on.
TEST(DeletePowerCutTest, AFailedCallLosesNothing) {
  const uint64_t seed = Seed();
  for (uint64_t call = 1; call <= 250; call += 1 + call / 15) {
    SCOPED_TRACE(call);
    const storage::TempDirectory directory;
    const std::string data = directory.path() + "/data";
    ManualClock clock(kNow);
    Ledger ledger;
    auto files = std::make_shared<ForgetfulFileSystem>(data);
    {
      auto store = storage::Store::Open(Options(data, &clock, files));
      ASSERT_TRUE(store.ok()) << store.error().message;
      files->FailCalls(files->calls() + call, 1);
      Work(**store, *files, &clock, &ledger, seed + call);
      ASSERT_EQ(ledger.Check(**store), "");
      clock.Advance(2 * kSecond);
      const auto maintained = (*store)->RunMaintenance();
      EXPECT_TRUE(maintained.ok()) << maintained.error().message;
      // Writing has resumed; in some rounds it was the database's creation that failed.
      std::mt19937_64 random(call);
      const uint64_t before = ledger.acknowledged();
      ledger.Write(**store, 0, random);
      EXPECT_GT(ledger.acknowledged(), before) << (*store)->Stats().read_only_reason;
      const auto compacted = (*store)->Compact("default", {}, nullptr);
      ASSERT_TRUE(compacted.ok()) << compacted.error().message;
      ASSERT_EQ(ledger.Check(**store), "");
      files->PowerOffAfter(1);
    }
    files->RestoreDurable(call);
    auto store = storage::Store::Open(Options(data, &clock, nullptr));
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_EQ(ledger.Check(**store), "");
  }
}

}  // namespace
}  // namespace tidemark::fault
