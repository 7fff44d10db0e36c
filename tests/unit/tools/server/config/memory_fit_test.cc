#include "tools/server/config/memory_fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace tidemark::server {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

bool Has(const std::vector<LoweredSetting>& lowered, std::string_view key) {
  return std::ranges::any_of(lowered, [&](const LoweredSetting& each) { return each.key == key; });
}

TEST(MemoryFitTest, ALargeMachineKeepsItsSettings) {
  Config config;
  const Config before = config;
  EXPECT_TRUE(FitToMemory(uint64_t{64} << 30, &config).empty());
  EXPECT_EQ(config.store.staged_bytes, before.store.staged_bytes);
  EXPECT_EQ(config.api.total_memory_bytes, before.api.total_memory_bytes);
}

TEST(MemoryFitTest, ASmallOneLowersThemAndSaysWhich) {
  Config config;
  const std::vector<LoweredSetting> lowered = FitToMemory(800 * kMiB, &config);
  EXPECT_TRUE(Has(lowered, "storage.staged_bytes"));
  EXPECT_TRUE(Has(lowered, "query.total_memory"));
  EXPECT_EQ(config.store.staged_bytes, 32 * kMiB);
  EXPECT_EQ(config.api.total_memory_bytes, 160 * kMiB);
  // Again changes nothing more.
  EXPECT_TRUE(FitToMemory(800 * kMiB, &config).empty());
}

TEST(MemoryFitTest, NoLimitBecomesOneAndZeroOfACacheStays) {
  Config config;
  config.api.budget.max_bytes = 0;
  config.api.total_memory_bytes = 0;
  config.api.cache_bytes = 0;
  FitToMemory(800 * kMiB, &config);
  EXPECT_EQ(config.api.budget.max_bytes, 160 * kMiB);
  EXPECT_EQ(config.api.total_memory_bytes, 160 * kMiB);
  EXPECT_EQ(config.api.cache_bytes, 0U);
}

TEST(MemoryFitTest, EvenTheSmallestCanWork) {
  Config config;
  FitToMemory(64 * kMiB, &config);
  EXPECT_GE(config.store.staged_bytes, 4 * kMiB);
  EXPECT_GE(config.http.body_memory_bytes, config.http.body_bytes_max);
}

}  // namespace
}  // namespace tidemark::server
