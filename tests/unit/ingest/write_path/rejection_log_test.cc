#include "ingest/write_path/rejection_log.h"

#include <gtest/gtest.h>

namespace tidemark::write_path {
namespace {

TEST(RejectionLogTest, KeepsTheNewest) {
  RejectionLog log(3);
  EXPECT_TRUE(log.Newest(10).empty());
  for (uint32_t i = 1; i <= 7; ++i)
    log.Add({i}, {.database = "db", .line = i}, InvalidArgument("reason " + std::to_string(i)));
  const std::vector<LoggedRejection> newest = log.Newest(10);
  ASSERT_EQ(newest.size(), 3U);
  for (uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(newest[i].number, 7 - i);
    EXPECT_EQ(newest[i].line, 7 - i);
    EXPECT_EQ(newest[i].at.ns, 7 - i);
    EXPECT_EQ(newest[i].error.message, "reason " + std::to_string(7 - i));
  }
  ASSERT_EQ(log.Newest(1).size(), 1U);
  EXPECT_EQ(log.Newest(1)[0].number, 7U);
  EXPECT_TRUE(log.Newest(0).empty());
}

TEST(RejectionLogTest, CutsLongMessagesBetweenCharacters) {
  RejectionLog log(1);
  std::string message(RejectionLog::kMaxMessageBytes - 1, 'x');
  log.Add({0}, {.database = "db", .line = 1}, InvalidArgument(message + "éé"));
  EXPECT_EQ(log.Newest(1)[0].error.message, message);
}

}  // namespace
}  // namespace tidemark::write_path
