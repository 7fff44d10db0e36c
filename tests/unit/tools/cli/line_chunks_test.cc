#include "tools/cli/line_chunks.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace tidemark::cli {
namespace {

std::vector<std::string> ChunksOf(const std::string& text, ChunkLimits limits) {
  std::istringstream input(text);
  LineChunks chunks(input, limits);
  std::vector<std::string> out;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) out.emplace_back(chunk);
  return out;
}

TEST(LineChunks, CutsBetweenLines) {
  const auto chunks = ChunksOf("m f=1\nm f=2\n# note\nm f=3", {.lines = 2});
  EXPECT_EQ(chunks, (std::vector<std::string>{"m f=1\nm f=2\n", "# note\nm f=3"}));
  EXPECT_TRUE(ChunksOf("", {}).empty());
}

TEST(LineChunks, ANewlineInAStringIsNoEnd) {
  const auto chunks = ChunksOf("m s=\"a\nb\"\nm f=1\n", {.lines = 1});
  EXPECT_EQ(chunks, (std::vector<std::string>{"m s=\"a\nb\"\n", "m f=1\n"}));
}

TEST(LineChunks, BadLinesGoAlongAndLongInputComesWhole) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += i % 7 == 0 ? "bad line\n" : "m,t=x f=" + std::to_string(i) + "i\n";
  std::string joined;
  std::istringstream input(text);
  LineChunks chunks(input, {.lines = 1000, .bytes = 64 << 10});
  uint64_t rows = 0;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    joined += chunk;
    rows += chunks.rows();
    EXPECT_TRUE(chunk.ends_with('\n'));
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(rows, 50'000U);
}

}  // namespace
}  // namespace tidemark::cli
