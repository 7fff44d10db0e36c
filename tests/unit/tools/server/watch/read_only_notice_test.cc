#include "tools/server/watch/read_only_notice.h"

#include <gtest/gtest.h>

namespace tidemark::server {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kStart = 100 * ReadOnlyNotice::kAgainMs;

TEST(ReadOnlyNotice, IsSaidAtOnceAndAgainAndEnds) {
  ReadOnlyNotice notice;
  EXPECT_TRUE(notice.At("", kStart - 1).empty());
  auto told = notice.At("the disk is full", kStart);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].labels, (model::Labels{{"alertname", "TidemarkReadOnly"}, {"severity", "critical"}}));
  EXPECT_EQ(told[0].annotations[0].value, "The store takes no writes: the disk is full");
  EXPECT_EQ(told[0].starts_at_ns, kStart * kMs);
  EXPECT_EQ(told[0].ends_at_ns, (kStart + ReadOnlyNotice::kKnownMs) * kMs);
  EXPECT_TRUE(query::notify::CheckAlert(told[0]).ok());
  EXPECT_TRUE(notice.At("the disk is full", kStart + ReadOnlyNotice::kAgainMs - 1).empty());
  const int64_t again = kStart + ReadOnlyNotice::kAgainMs;
  told = notice.At("a file is missing", again);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].annotations[0].value, "The store takes no writes: a file is missing");
  EXPECT_EQ(told[0].starts_at_ns, kStart * kMs);
  EXPECT_EQ(told[0].ends_at_ns, (again + ReadOnlyNotice::kKnownMs) * kMs);
  const int64_t quiet = again + ReadOnlyNotice::kQuietMs;
  EXPECT_TRUE(notice.At("", quiet - 1).empty());
  told = notice.At("", quiet);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].ends_at_ns, quiet * kMs);
  EXPECT_TRUE(notice.At("", quiet + 1).empty());
}

TEST(ReadOnlyNotice, AWriteThatSlipsInEndsNothing) {
  ReadOnlyNotice notice;
  ASSERT_EQ(notice.At("the disk is full", kStart).size(), 1U);
  EXPECT_TRUE(notice.At("", kStart + 1'000).empty());
  EXPECT_TRUE(notice.At("the disk is full", kStart + 2'000).empty());
  EXPECT_TRUE(notice.At("", kStart + 1'000 + ReadOnlyNotice::kQuietMs).empty());
  ASSERT_EQ(notice.At("", kStart + 2'000 + ReadOnlyNotice::kQuietMs).size(), 1U);
}

TEST(ReadOnlyNotice, OneOfBeforeARestartEndsAfterAQuietTime) {
  ReadOnlyNotice before;
  const auto told_before = before.At("the disk is full", kStart);
  ASSERT_EQ(told_before.size(), 1U);
  EXPECT_EQ(told_before[0].rule, ReadOnlyNotice::kAlert);
  ReadOnlyNotice notice;
  const int64_t restart = kStart + 5'000;
  notice.Restore(told_before[0], restart);
  EXPECT_TRUE(notice.At("", restart + ReadOnlyNotice::kQuietMs - 1).empty());
  const auto told = notice.At("", restart + ReadOnlyNotice::kQuietMs);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].starts_at_ns, kStart * kMs);
  EXPECT_EQ(told[0].ends_at_ns, (restart + ReadOnlyNotice::kQuietMs) * kMs);
}

}  // namespace
}  // namespace tidemark::server
