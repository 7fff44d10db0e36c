#include "storage/base/memory/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "storage/base/memory/watch.h"
#include "tests/unit/storage/base/memory/sizes.h"

namespace tidemark::memory {
namespace {

class ProcessMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "process_memory_" + std::to_string(getpid()) + "_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    places_ = {.proc = root_ + "/proc", .cgroup = root_ + "/cgroup"};
    Write("proc/meminfo", "MemTotal:       16384000 kB\nMemFree:         1 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + "/" + path).parent_path());
    std::ofstream(root_ + "/" + path) << text;
  }
  std::string root_;
  SystemPlaces places_;
};

TEST_F(ProcessMemoryTest, TheMachineAndTheSetting) {
  EXPECT_EQ(FindCeiling(0, places_).bytes, 16384000ULL * 1024);
  EXPECT_EQ(FindCeiling(0, places_).source, "the machine's memory");
  EXPECT_EQ(FindCeiling(100, places_).bytes, 100U);
  EXPECT_EQ(FindCeiling(100, places_).source, "memory.limit");
  EXPECT_EQ(FindCeiling(UINT64_MAX, places_).source, "the machine's memory");
}

TEST_F(ProcessMemoryTest, ControlGroupsOfVersion2AndAboveThem) {
  Write("proc/self/cgroup", "0::/a/b\n");
  Write("cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(FindCeiling(0, places_).source, "the machine's memory");
  Write("cgroup/a/memory.high", "1000000\n");
  EXPECT_EQ(FindCeiling(0, places_).bytes, 1'000'000U);
  EXPECT_EQ(FindCeiling(0, places_).source, "memory.high of control group /a");
  Write("cgroup/a/b/memory.max", "900000\n");
  EXPECT_EQ(FindCeiling(0, places_).source, "memory.max of control group /a/b");
  // In a container: the path is one of outside, the group is what is mounted.
  Write("proc/self/cgroup", "0::/elsewhere/x\n");
  Write("cgroup/memory.max", "800000\n");
  EXPECT_EQ(FindCeiling(0, places_).bytes, 800'000U);
  EXPECT_EQ(FindCeiling(0, places_).source, "memory.max of control group /");
}

TEST_F(ProcessMemoryTest, ControlGroupsOfVersion1AndAboveThem) {
  Write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/p/q\n0::/\n");
  Write("cgroup/memory/p/q/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(FindCeiling(0, places_).source, "the machine's memory");
  Write("cgroup/memory/p/memory.limit_in_bytes", "700000\n");
  EXPECT_EQ(FindCeiling(0, places_).bytes, 700'000U);
  EXPECT_EQ(FindCeiling(0, places_).source, "memory.limit_in_bytes of control group /p");
}

TEST_F(ProcessMemoryTest, WhatCannotBeReadDoesNotLimit) {
  std::filesystem::remove_all(root_);
  EXPECT_EQ(FindCeiling(0, places_).bytes, UINT64_MAX);
  Write("proc/meminfo", "MemTotal:");
  Write("proc/self/cgroup", "0\n:\n::\n4:memory\n4:memory:no/slash\nx");
  EXPECT_EQ(FindCeiling(0, places_).bytes, UINT64_MAX);
  EXPECT_FALSE(AnonymousBytes(places_).ok());
  Write("proc/self/statm", "12 x");
  EXPECT_FALSE(AnonymousBytes(places_).ok());
}

TEST_F(ProcessMemoryTest, WhatABudgetHandsOut) {
  EXPECT_EQ(BudgetOf(1000 * kMiB), 1000 * kMiB / 100 * 85 - 64 * kMiB);
  EXPECT_EQ(BudgetOf(0), kLeastBudgetBytes);
  EXPECT_EQ(BudgetOf(100 * kMiB), kLeastBudgetBytes);
}

TEST_F(ProcessMemoryTest, AnonymousIsResidentLessFiles) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  Write("proc/self/statm", "1000 300 100 5 0 600 0\n");
  EXPECT_EQ(AnonymousBytes(places_).value(), 200 * page);
  // Of this process: what it touches is seen.
  const uint64_t before = AnonymousBytes().value();
  std::vector<char> touched(64 * kMiB, 'x');
  EXPECT_GE(AnonymousBytes().value(), before + 60 * kMiB) << touched.size();
}

TEST_F(ProcessMemoryTest, TheWatchFollowsALimitThatChanges) {
  Write("proc/self/cgroup", "0::/a\n");
  Write("cgroup/a/memory.max", std::to_string(1000 * kMiB));
  Write("proc/self/statm", "1000 300 100 5 0 600 0\n");
  Budget budget;
  Level level = Level::kCancel;
  Watch watch(&budget, {.places = places_, .looked = [&](Level now) { level = now; }});
  EXPECT_EQ(budget.limit_bytes(), BudgetOf(1000 * kMiB));
  EXPECT_EQ(watch.ceiling().bytes, 1000 * kMiB);
  watch.LookOnce();
  EXPECT_EQ(level, Level::kEasy);
  EXPECT_GT(budget.usage().other_bytes, 0U);
  Write("cgroup/a/memory.max", std::to_string(500 * kMiB));
  for (int i = 0; i < 100; ++i) watch.LookOnce();
  EXPECT_EQ(budget.limit_bytes(), BudgetOf(500 * kMiB));
}

}  // namespace
}  // namespace tidemark::memory
