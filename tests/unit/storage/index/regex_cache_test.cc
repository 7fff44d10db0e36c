#include "storage/index/regex_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace tidemark::index {
namespace {

constexpr size_t kAmple = size_t{64} << 20;

std::shared_ptr<const Evaluation> Seen(uint32_t values) {
  auto evaluation = std::make_shared<Evaluation>();
  evaluation->values_seen = values;
  return evaluation;
}

TEST(RegexCacheTest, EachPatternIsMadeOnce) {
  RegexCache cache(kAmple);
  const auto first = cache.PatternOf("a|b");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*cache.PatternOf("a|b"), *first);
  EXPECT_NE(*cache.PatternOf("a|c"), *first);
  EXPECT_FALSE(cache.PatternOf("a(b").ok());
}

TEST(RegexCacheTest, TheEvaluationStoredLastCounts) {
  RegexCache cache(kAmple);
  EXPECT_EQ(cache.Find(1, "a.*"), nullptr);
  cache.Store(1, "a.*", Seen(3));
  cache.Store(2, "a.*", Seen(5));
  const size_t bytes = cache.memory_bytes();
  cache.Store(1, "a.*", Seen(4));
  EXPECT_EQ(cache.memory_bytes(), bytes);
  EXPECT_EQ(cache.Find(1, "a.*")->values_seen, 4U);
  EXPECT_EQ(cache.Find(2, "a.*")->values_seen, 5U);
}

TEST(RegexCacheTest, TheOneNotUsedForLongestGoesFirst) {
  RegexCache cache(kAmple);
  cache.Store(0, "used", Seen(1));
  cache.Store(0, "unused", Seen(1));
  size_t bytes = 0;
  // Far more than it keeps, however many that is.
  for (int i = 0; i < 5000; ++i) {
    cache.Store(0, "other " + std::to_string(i), Seen(1));
    ASSERT_NE(cache.Find(0, "used"), nullptr) << i;
    if (i == 4000) bytes = cache.memory_bytes();
  }
  EXPECT_EQ(cache.Find(0, "unused"), nullptr);
  EXPECT_NE(cache.Find(0, "other 4999"), nullptr);
  EXPECT_EQ(cache.Find(0, "other 0"), nullptr);
  EXPECT_EQ(cache.memory_bytes(), bytes);
}

TEST(RegexCacheTest, KeepsItsBytesButNeverLessThanOneEntry) {
  RegexCache cache(1);
  cache.Store(0, "0", Seen(0));
  for (uint32_t i = 1; i < 10; ++i) {
    cache.Store(0, std::to_string(i), Seen(i));
    ASSERT_NE(cache.Find(0, std::to_string(i)), nullptr);
    EXPECT_EQ(cache.Find(0, std::to_string(i - 1)), nullptr);
  }
}

}  // namespace
}  // namespace tidemark::index
