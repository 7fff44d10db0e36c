#include "executor/agent/process/output_tail.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tidemark::executor {
namespace {

TEST(OutputTailTest, KeepsEverythingThatFits) {
  OutputTail tail(10);
  EXPECT_EQ(tail.Text(), "");
  tail.Append("abc\n");
  tail.Append("defghi");
  EXPECT_EQ(tail.Text(), "abc\ndefghi");
  EXPECT_EQ(tail.total_bytes(), 10U);
}

TEST(OutputTailTest, DropsTheOldestAndTheBrokenLine) {
  OutputTail tail(10);
  tail.Append("0123456789");
  tail.Append("ab\ncd");
  EXPECT_EQ(tail.Text(), "cd");
  tail.Append("efghijklmnop");
  EXPECT_EQ(tail.Text(), "ghijklmnop");
  EXPECT_EQ(tail.total_bytes(), 27U);
}

TEST(OutputTailTest, IsTheSuffixOfWhateverWasWritten) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const size_t capacity = 1 + random() % 50;
    OutputTail tail(capacity);
    std::string all;
    for (int i = 0; i < 20; ++i) {
      std::string piece(random() % 40, ' ');
      for (char& c : piece) c = static_cast<char>('a' + random() % 26);
      all += piece;
      tail.Append(piece);
      ASSERT_EQ(tail.Text(), all.substr(all.size() - std::min(all.size(), capacity)));
    }
  }
}

}  // namespace
}  // namespace tidemark::executor
