// Power cuts at random calls while points are written and deleted, and checkpoints, folds and compactions go on: what
// was acknowledged stays, what was deleted does not come back, and nothing is made up.
#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "forgetful_file_system.h"
#include "storage/base/clock.h"
#include "storage/storage.h"
#include "store_ledger.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::fault {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kWriters = 3;

void Work(storage::Store& store, const ForgetfulFileSystem& files, ManualClock* clock, StoreLedger* ledger,
          uint64_t seed) {
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      std::mt19937_64 random(seed + static_cast<uint64_t>(writer));
      for (int i = 0; i < 50 && !files.off(); ++i) {
        if (random() % 5 == 0) {
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
        clock->Advance(61 * kSecond);  // partitions of which much is deleted are rewritten
        (void)store.RunMaintenance().ok();
        break;
    }
  }
}

TEST(DeletePowerCutTest, WhatWasDeletedStaysDeletedAndTheRestStays) {
  std::mt19937_64 random(LedgerSeed());
  constexpr int kCuts = 80;
  constexpr int kCutsPerDirectory = 16;
  uint64_t acknowledged = 0;
  uint64_t deleted = 0;
  for (int first = 0; first < kCuts; first += kCutsPerDirectory) {
    const storage::TempDirectory directory;
    const std::string data = directory.path() + "/data";
    ManualClock clock(kLedgerNowNs);
    StoreLedger ledger(StoreLedger::Series::kFew);
    for (int cut = first; cut < first + kCutsPerDirectory; ++cut) {
      SCOPED_TRACE(cut);
      auto files = std::make_shared<ForgetfulFileSystem>(data);
      files->PowerOffAfter(1 + random() % (random() % 3 == 0 ? 60 : 600));
      const uint64_t seed = random();
      {
        auto store = storage::Store::Open(LedgerOptions(data, &clock, files));
        if (store.ok()) {
          Work(**store, *files, &clock, &ledger, seed);
        } else {
          ASSERT_TRUE(files->off()) << store.error().message;
        }
        files->PowerOffAfter(1);
      }
      files->RestoreDurable(random());
      auto store = storage::Store::Open(LedgerOptions(data, &clock, nullptr));
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
  const uint64_t seed = LedgerSeed();
  uint64_t reached = 0;
  for (uint64_t call = 1; call <= 250; call += 1 + call / 15) {
    SCOPED_TRACE(call);
    const storage::TempDirectory directory;
    const std::string data = directory.path() + "/data";
    ManualClock clock(kLedgerNowNs);
    StoreLedger ledger(StoreLedger::Series::kFew);
    auto files = std::make_shared<ForgetfulFileSystem>(data);
    {
      auto store = storage::Store::Open(LedgerOptions(data, &clock, files));
      ASSERT_TRUE(store.ok()) << store.error().message;
      const uint64_t failing = files->calls() + call;
      files->FailCalls(failing, 1);
      Work(**store, *files, &clock, &ledger, seed + call);
      // How many calls there are depends on which writers share a sync: the one that was to fail may still lie ahead,
      // and would fail what must work from here on.
      reached += files->calls() >= failing ? 1 : 0;
      files->FailCalls(0, 0);
      ASSERT_EQ(ledger.Check(**store), "");
      clock.Advance(2 * kSecond);
      const auto maintained = (*store)->RunMaintenance();
      EXPECT_TRUE(maintained.ok()) << maintained.error().message;
      // Writing has resumed; in some rounds it was the database's creation that failed.
      std::mt19937_64 random(call);
      const uint64_t before = ledger.acknowledged();
      ledger.WriteBatch(**store, 0, random);
      EXPECT_GT(ledger.acknowledged(), before) << (*store)->Stats().read_only_reason;
      const auto compacted = (*store)->Compact("default", {}, nullptr);
      ASSERT_TRUE(compacted.ok()) << compacted.error().message;
      ASSERT_EQ(ledger.Check(**store), "");
      files->PowerOffAfter(1);
    }
    files->RestoreDurable(call);
    auto store = storage::Store::Open(LedgerOptions(data, &clock, nullptr));
    ASSERT_TRUE(store.ok()) << store.error().message;
    ASSERT_EQ(ledger.Check(**store), "");
  }
  EXPECT_GT(reached, 10U);
}

}  // namespace
}  // namespace tidemark::fault
