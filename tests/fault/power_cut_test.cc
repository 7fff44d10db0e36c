// Power cuts at random calls, under load, with everything that the store does in the background going on: nothing that
// was acknowledged may be lost, nothing made up, nothing deleted may come back, and the store must open again each
// time.
#include <gtest/gtest.h>

#include <iostream>
#include <ostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "forgetful_file_system.h"
#include "storage/base/clock.h"
#include "storage/storage.h"
#include "store_ledger.h"
#include "tests/temp_directory.h"
#include "tests/test_seed.h"

namespace tidemark::fault {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kWriters = 3;

// What goes on while the power is cut.
struct Workload {
  const char* name;
  StoreLedger::Series series;
  int calls;                    // of each writer
  unsigned deletions;           // one call in so many deletes; 0: none
  int64_t maintenance_step_ns;  // how far the clock goes before each maintenance
  int cuts;
};
void PrintTo(const Workload& workload, std::ostream* out) { *out << workload.name; }
constexpr Workload kWorkloads[] = {
    {"Writes", StoreLedger::Series::kGrowing, 60, 0, 0, 100},
    // After the step, partitions of which much is deleted are rewritten.
    {"WritesAndDeletions", StoreLedger::Series::kFew, 50, 5, 61 * kSecond, 80},
};

class PowerCutTest : public ::testing::TestWithParam<Workload> {
 protected:
  // Writers, checkpoints, slabs and compactions at once, until the power is off or the work is done.
  void Work(storage::Store& store, const ForgetfulFileSystem& files, StoreLedger* ledger, uint64_t seed) {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        std::mt19937_64 random(seed + static_cast<uint64_t>(writer));
        for (int i = 0; i < workload_.calls && !files.off(); ++i) {
          if (workload_.deletions != 0 && random() % workload_.deletions == 0) {
            ledger->Delete(store, writer, random);
          } else {
            ledger->WriteBatch(store, writer, random);
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
          clock_.Advance(workload_.maintenance_step_ns);
          (void)store.RunMaintenance().ok();
          break;
      }
    }
  }

  const Workload workload_ = GetParam();
  ManualClock clock_{kLedgerNowNs};
};

INSTANTIATE_TEST_SUITE_P(Workloads, PowerCutTest, ::testing::ValuesIn(kWorkloads),
                         [](const auto& workload) { return std::string(workload.param.name); });

TEST_P(PowerCutTest, NothingAcknowledgedIsLostAndNothingIsMadeUp) {
  std::mt19937_64 random(TestSeed());
  constexpr int kCutsPerDirectory = 20;
  uint64_t acknowledged = 0;
  uint64_t deleted = 0;
  for (int first = 0; first < workload_.cuts; first += kCutsPerDirectory) {
    const TempDirectory directory;
    const std::string data = directory.path() + "/data";
    clock_.Set(kLedgerNowNs);
    StoreLedger ledger(workload_.series);
    for (int cut = first; cut < first + kCutsPerDirectory; ++cut) {
      SCOPED_TRACE(cut);
      auto files = std::make_shared<ForgetfulFileSystem>(data);
      // Some cuts fall into opening itself.
      files->PowerOffAfter(1 + random() % (random() % 3 == 0 ? 60 : 600));
      const uint64_t seed = random();
      {
        auto store = storage::Store::Open(LedgerOptions(data, &clock_, files));
        if (store.ok()) {
          if (!files->off()) {
            const std::string wrong = ledger.Check(**store);
            if (!files->off()) {
              ASSERT_EQ(wrong, "");
            }
          }
          Work(**store, *files, &ledger, seed);
        } else {
          ASSERT_TRUE(files->off()) << store.error().message;
        }
        // Nothing that goes on while the store is taken down may count.
        files->PowerOffAfter(1);
      }
      files->RestoreDurable(random());
      auto store = storage::Store::Open(LedgerOptions(data, &clock_, nullptr));
      ASSERT_TRUE(store.ok()) << store.error().message;
      ASSERT_EQ(ledger.Check(**store), "");
      EXPECT_EQ((*store)->Stats().corrupt_pages, 0U);
    }
    acknowledged += ledger.acknowledged();
    deleted += ledger.deleted();
  }
  std::cout << acknowledged << " rows and " << deleted << " deletions acknowledged over " << workload_.cuts
            << " cuts\n";
  EXPECT_GT(acknowledged, 1000U);
  EXPECT_EQ(deleted > 50, workload_.deletions != 0) << deleted;
}

// The power cut tests can fail: a store that answers before it syncs loses rows, and the ledger says so.
TEST(PowerCutLedgerTest, TheLedgerNoticesWhatWasNotSynced) {
  std::mt19937_64 random(TestSeed());
  bool noticed = false;
  for (int cut = 0; cut < 20 && !noticed; ++cut) {
    const TempDirectory directory;
    const std::string data = directory.path() + "/data";
    ManualClock clock(kLedgerNowNs);
    StoreLedger ledger;
    auto files = std::make_shared<ForgetfulFileSystem>(data);
    {
      storage::StoreOptions options = LedgerOptions(data, &clock, files);
      options.new_database.sync_interval_ns = kSecond;
      auto store = storage::Store::Open(options);
      ASSERT_TRUE(store.ok()) << store.error().message;
      for (int i = 0; i < 20; ++i) ASSERT_TRUE(ledger.WriteBatch(**store, 0, random));
      files->PowerOffAfter(1);
    }
    files->RestoreDurable(random());
    auto store = storage::Store::Open(LedgerOptions(data, &clock, nullptr));
    ASSERT_TRUE(store.ok()) << store.error().message;
    const std::string wrong = ledger.Check(**store);
    noticed = wrong.find("is lost, it was acknowledged") != std::string::npos;
  }
  EXPECT_TRUE(noticed);
}

// A call that fails once, without a power cut: the store says so or does it, and goes on.
TEST_P(PowerCutTest, AFailedCallRefusesWritesUntilTheDiskWorksAgain) {
  const uint64_t seed = TestSeed();
  uint64_t reached = 0;
  uint64_t refused = 0;
  for (uint64_t call = 1; call <= 300; call += 1 + call / 20) {
    SCOPED_TRACE(call);
    const TempDirectory directory;
    const std::string data = directory.path() + "/data";
    clock_.Set(kLedgerNowNs);
    StoreLedger ledger(workload_.series);
    auto files = std::make_shared<ForgetfulFileSystem>(data);
    {
      auto store = storage::Store::Open(LedgerOptions(data, &clock_, files));
      ASSERT_TRUE(store.ok()) << store.error().message;
      const uint64_t failing = files->calls() + call;
      files->FailCalls(failing, 1);
      Work(**store, *files, &ledger, seed + call);
      // How many calls there are depends on which writers share a sync: the one that was to fail may still lie ahead,
      // and would fail what must work from here on.
      reached += files->calls() >= failing ? 1 : 0;
      files->FailCalls(0, 0);
      refused += ledger.refused();
      // Reads go on whatever failed.
      ASSERT_EQ(ledger.Check(**store), "");
      // The failure is over: writing resumes by itself. In some rounds it was the database's creation that failed.
      std::mt19937_64 random(call);
      bool written = false;
      for (int attempt = 0; attempt < 5 && !written; ++attempt) {
        clock_.Advance(2 * kSecond);
        written = ledger.WriteBatch(**store, 0, random);
      }
      EXPECT_TRUE(written) << (*store)->Stats().read_only_reason;
      clock_.Advance(2 * kSecond);
      const auto maintained = (*store)->RunMaintenance();
      EXPECT_TRUE(maintained.ok()) << maintained.error().message;
      ASSERT_TRUE((*store)->Checkpoint().ok());
      const auto compacted = (*store)->Compact("default", {}, nullptr);
      ASSERT_TRUE(compacted.ok()) << compacted.error().message;
      ASSERT_EQ(ledger.Check(**store), "");
      files->PowerOffAfter(1);
    }
    files->RestoreDurable(call);
    auto store = storage::Store::Open(LedgerOptions(data, &clock_, nullptr));
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_EQ(ledger.Check(**store), "");
  }
  EXPECT_GT(reached, 10U);
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace tidemark::fault
