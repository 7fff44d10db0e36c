#include "tools/cli/line_chunks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace tidemark::cli {
namespace {

const ManualClock kClock(0);

std::vector<std::string> ChunksOf(const std::string& text, ChunkLimits limits) {
  std::istringstream input(text);
  LineChunks chunks(input, limits, kClock);
  std::vector<std::string> out;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) out.emplace_back(chunk);
  return out;
}

TEST(LineChunks, CutsBetweenLines) {
  const auto chunks = ChunksOf("m f=1\nm f=2\n# note\nm f=3", {.lines = 2});
  EXPECT_EQ(chunks, (std::vector<std::string>{"m f=1\nm f=2\n", "# note\nm f=3"}));
  EXPECT_TRUE(ChunksOf("", {}).empty());
}

std::vector<std::string> StampedChunksOf(const std::string& text, ChunkLimits limits, int64_t time) {
  std::istringstream input(text);
  const ManualClock clock(time * 1'000'000);
  LineChunks chunks(input, limits, clock);
  std::vector<std::string> out;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    out.push_back(WithTimes(chunk, chunks.untimed(), 1'000'000));
  }
  return out;
}

TEST(LineChunks, LinesWithoutATimeGetOne) {
  const std::string text =
      "m f=1\n"
      "m f=1 5\n"
      "# note\n"
      "\n"
      "m,a\\ b=c\\ d s=\"x y\nz\"  \r\n"
      "m s=\"in string 5\"\n"
      "m f=1 -7\n"
      "bad line here 1\n"
      "m f=2";
  EXPECT_EQ(StampedChunksOf(text, {}, 42).at(0),
            "m f=1 42\n"
            "m f=1 5\n"
            "# note\n"
            "\n"
            "m,a\\ b=c\\ d s=\"x y\nz\" 42  \r\n"
            "m s=\"in string 5\" 42\n"
            "m f=1 -7\n"
            "bad line here 1\n"
            "m f=2 42");
}

TEST(LineChunks, EachChunkHasItsOwnPlaces) {
  EXPECT_EQ(StampedChunksOf("m f=1\nm f=2 3\nm f=4\n", {.lines = 2}, 9),
            (std::vector<std::string>{"m f=1 9\nm f=2 3\n", "m f=4 9\n"}));
}

// Lines of a pipe that wait for others, to be sent with them, keep the time at which each came.
TEST(LineChunks, ALineHasTheTimeAtWhichItCame) {
  ManualClock clock(0);
  const std::vector<std::string> pieces = {"m f=1\nm f", "=2\n", "m f=3\nm f=4\n", ""};
  size_t at = 0;
  LineChunks chunks(
      [&](char* to, size_t, std::chrono::milliseconds) -> std::optional<size_t> {
        clock.Advance(10);
        const std::string& piece = pieces.at(at++);
        std::copy(piece.begin(), piece.end(), to);
        return piece.size();
      },
      {.lines = 3, .age = std::chrono::hours(1)}, clock);
  std::vector<std::string> out;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    out.push_back(WithTimes(chunk, chunks.untimed(), 1));
  }
  EXPECT_EQ(out, (std::vector<std::string>{"m f=1 10\nm f=2 20\nm f=3 30\n", "m f=4 30\n"}));
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
  LineChunks chunks(input, {.lines = 1000, .bytes = 64 << 10}, kClock);
  uint64_t rows = 0;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    joined += chunk;
    rows += chunks.rows();
    EXPECT_TRUE(chunk.ends_with('\n'));
  }
  EXPECT_EQ(joined, text);
  EXPECT_EQ(rows, 50'000U);
}

TEST(LineChunks, AWholeLineDoesNotWaitForOthers) {
  // A pipe whose writer goes on only when it has been read from.
  const std::vector<std::optional<std::string>> pieces = {
      "m f=1\nm f=2\nm f", std::nullopt, "=3\nm t=\"a\n", std::nullopt, "b\"\n", std::nullopt, "m f=4", ""};
  size_t at = 0;
  LineChunks chunks(
      [&](char* to, size_t, std::chrono::milliseconds wait) -> std::optional<size_t> {
        EXPECT_LE(wait, std::chrono::milliseconds(20));
        const std::optional<std::string>& piece = pieces.at(at++);
        if (!piece) {
          std::this_thread::sleep_for(wait);
          return std::nullopt;
        }
        std::copy(piece->begin(), piece->end(), to);
        return piece->size();
      },
      {.age = std::chrono::milliseconds(20)}, kClock);
  std::vector<std::string> out;
  std::vector<size_t> read;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    out.emplace_back(chunk);
    read.push_back(at);
  }
  // Pieces of a slow machine may come together; what counts is that the first lines do not wait for the end.
  ASSERT_GE(out.size(), 2U);
  EXPECT_EQ(out[0], "m f=1\nm f=2\n");
  EXPECT_LT(read[0], pieces.size());
  std::string all;
  for (const std::string& chunk : out) all += chunk;
  EXPECT_EQ(all, "m f=1\nm f=2\nm f=3\nm t=\"a\nb\"\nm f=4");
}

TEST(LineChunks, CommentsOfAnExportNameTheDatabase) {
  std::istringstream input(
      "m f=0\n# DML\n# CONTEXT-DATABASE: one\n# CONTEXT-RETENTION-POLICY:autogen\n\nm f=1\nm f=2\n"
      "# CONTEXT-DATABASE:two words \r\nm f=3\n# CONTEXT-DATABASE-NOT: x\nm f=4");
  LineChunks chunks(input, {}, kClock);
  std::vector<std::string> out;
  for (std::string_view chunk; !(chunk = chunks.Next()).empty();) {
    out.push_back(chunks.database() + "|" + chunks.policy() + "|" + std::to_string(chunks.rows()));
  }
  EXPECT_EQ(out, (std::vector<std::string>{"||1", "one|autogen|2", "two words|autogen|1", "two words|autogen|1"}));
}

}  // namespace
}  // namespace tidemark::cli
