#include "tools/server/write/write_id_book.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/temp_directory.h"

namespace tidemark::server {
namespace {

constexpr int64_t kHour = int64_t{3600} * 1'000'000'000;

class WriteIdBookTest : public testing::Test {
 protected:
  [[nodiscard]] std::unique_ptr<WriteIdBook> Open(const WriteIdOptions& options = {}) const {
    return WriteIdBook::Open(folder_.path() + "/ids", options).value();
  }
  // As a request that is answered with `status`; 0: it fails.
  static void Write(WriteIdBook* book, std::string_view id, int64_t now_ns, uint64_t digest, uint16_t status,
                    bool promise = true) {
    WriteIdBook::Turn turn = book->Begin("t", "db", id, {now_ns});
    ASSERT_FALSE(turn.busy());
    if (promise) {
      ASSERT_TRUE(turn.Promise().ok());
    }
    if (status != 0) turn.Finish(digest, status);
  }

  TempDirectory folder_;
};

TEST_F(WriteIdBookTest, ARepeatIsKnownAlsoAfterARestart) {
  for (int start = 0; start < 3; ++start) {
    const auto book = Open();
    if (start == 0) Write(book.get(), "a", 1'000, 7, 204);
    WriteIdBook::Turn turn = book->Begin("t", "db", "a", {5'000});
    EXPECT_EQ(turn.time().ns, 1'000);
    EXPECT_TRUE(turn.Repeats(7).value());
    EXPECT_EQ(turn.status(), 204);
    EXPECT_EQ(turn.Repeats(8).error().code, ErrorCode::kConflict);
  }
}

TEST_F(WriteIdBookTest, AnIdIsOfItsSenderAndDatabase) {
  const auto book = Open();
  Write(book.get(), "a", 1'000, 7, 204);
  EXPECT_FALSE(book->Begin("u", "db", "a", {2'000}).Repeats(7).value());
  EXPECT_FALSE(book->Begin("t", "other", "a", {2'000}).Repeats(7).value());
  EXPECT_FALSE(book->Begin("t", "db", "b", {2'000}).Repeats(7).value());
}

TEST_F(WriteIdBookTest, WhatWasPromisedKeepsItsTimeWhenTheWriteFails) {
  {
    const auto book = Open();
    Write(book.get(), "a", 1'000, 0, 0);
    EXPECT_EQ(book->Begin("t", "db", "a", {2'000}).time().ns, 1'000);
  }
  const auto book = Open();
  WriteIdBook::Turn turn = book->Begin("t", "db", "a", {3'000});
  EXPECT_EQ(turn.time().ns, 1'000);
  EXPECT_FALSE(turn.Repeats(7).value());
}

TEST_F(WriteIdBookTest, WhatFailedWithoutAPromiseIsForgotten) {
  const auto book = Open();
  Write(book.get(), "a", 1'000, 0, 0, false);
  EXPECT_EQ(book->size(), 0U);
  EXPECT_EQ(book->Begin("t", "db", "a", {2'000}).time().ns, 2'000);
}

TEST_F(WriteIdBookTest, OneRequestAtATime) {
  const auto book = Open();
  WriteIdBook::Turn first = book->Begin("t", "db", "a", {1});
  EXPECT_TRUE(book->Begin("t", "db", "a", {2}).busy());
  EXPECT_FALSE(book->Begin("t", "db", "b", {2}).busy());
  first.Finish(1, 204);
  // Still the turn of the first.
  EXPECT_TRUE(book->Begin("t", "db", "a", {2}).busy());
}

TEST_F(WriteIdBookTest, NumberAndAgeAreBounded) {
  const WriteIdOptions options{.ids_max = 100, .keep_ns = kHour};
  auto book = Open(options);
  for (int i = 0; i < 1'000; ++i) Write(book.get(), std::to_string(i), i, 1, 204);
  EXPECT_LE(book->size(), 101U);
  // Written anew when it has grown.
  EXPECT_LE(std::filesystem::file_size(folder_.path() + "/ids/log"), 48U * 100 * 4 + 48 * 2);
  EXPECT_TRUE(book->Begin("t", "db", "999", {1'001}).Repeats(1).value());
  EXPECT_FALSE(book->Begin("t", "db", "0", {1'001}).Repeats(1).value());
  book = Open(options);
  EXPECT_TRUE(book->Begin("t", "db", "999", {1'001}).Repeats(1).value());
  EXPECT_FALSE(book->Begin("t", "db", "999", {1'000 + kHour}).Repeats(1).value());
}

TEST_F(WriteIdBookTest, IdsUnderWayStayThoughTheyAreMoreThanAreKept) {
  // Twenty turns where one id is kept: each promises, over more rewrites of the file than there is room for.
  const WriteIdOptions options{.ids_max = 1, .keep_ns = kHour};
  auto book = Open(options);
  {
    std::vector<WriteIdBook::Turn> turns;
    for (int i = 0; i < 20; ++i) turns.push_back(book->Begin("t", "db", std::to_string(i), {i}));
    EXPECT_EQ(book->size(), 20U);
    for (WriteIdBook::Turn& turn : turns) ASSERT_TRUE(turn.Promise().ok());
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(book->Begin("t", "db", std::to_string(i), {20}).busy()) << i;
    for (WriteIdBook::Turn& turn : turns) turn.Finish(1, 204);
  }
  // A file of a kill at this moment has them all; the next request lets all but one go.
  EXPECT_EQ(Open(options)->size(), 20U);
  EXPECT_TRUE(book->Begin("t", "db", "19", {21}).Repeats(1).value());
  EXPECT_EQ(book->size(), 1U);
}

TEST_F(WriteIdBookTest, TheEndsOfAgeAreKept) {
  const auto book = Open({.ids_max = 10, .keep_ns = 1'000});
  Write(book.get(), "a", 5'000, 1, 204);
  // So old it is still known, a nanosecond later not; a clock that goes back forgets nothing.
  EXPECT_TRUE(book->Begin("t", "db", "a", {4'000}).Repeats(1).value());
  EXPECT_TRUE(book->Begin("t", "db", "a", {6'000}).Repeats(1).value());
  EXPECT_FALSE(book->Begin("t", "db", "a", {6'001}).Repeats(1).value());
}

TEST_F(WriteIdBookTest, TheLongestIdAndAnyBytesAreIds) {
  const auto book = Open();
  const std::string longest(WriteIdBook::kMaxIdBytes, 'x');
  const std::string zeros("a\0b", 3);
  Write(book.get(), longest, 1, 1, 204);
  Write(book.get(), zeros, 1, 2, 204);
  EXPECT_TRUE(book->Begin("t", "db", longest, {2}).Repeats(1).value());
  EXPECT_TRUE(book->Begin("t", "db", zeros, {2}).Repeats(2).value());
  EXPECT_FALSE(book->Begin("t", "db", longest.substr(1), {2}).Repeats(1).value());
  // What belongs to the sender is not taken for the id's: all three have lengths of their own.
  EXPECT_FALSE(book->Begin("td", "b", longest, {2}).Repeats(1).value());
}

TEST_F(WriteIdBookTest, ATornEndIsLeftOut) {
  {
    const auto book = Open();
    Write(book.get(), "a", 1, 1, 204);
    Write(book.get(), "b", 2, 1, 204);
  }
  const std::string path = folder_.path() + "/ids/log";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  {
    const auto book = Open();
    // Its promise was whole.
    WriteIdBook::Turn b = book->Begin("t", "db", "b", {9});
    EXPECT_EQ(b.time().ns, 2);
    EXPECT_FALSE(b.Repeats(1).value());
    EXPECT_TRUE(book->Begin("t", "db", "a", {9}).Repeats(1).value());
    b.Finish(1, 204);
  }
  EXPECT_TRUE(Open()->Begin("t", "db", "b", {9}).Repeats(1).value());
  // A byte that is another ends it too.
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(60).put('x');
  EXPECT_EQ(Open()->size(), 1U);
}

TEST_F(WriteIdBookTest, ManyThreadsPromiseAtOnce) {
  const auto book = Open();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) Write(book.get(), std::to_string(t) + "/" + std::to_string(i), i, 1, 204);
      });
    }
  }
  EXPECT_EQ(book->size(), 400U);
  EXPECT_EQ(Open()->size(), 400U);
}

TEST_F(WriteIdBookTest, WithoutAFolderItIsInMemory) {
  const auto book = WriteIdBook::Open("").value();
  Write(book.get(), "a", 1, 1, 204);
  EXPECT_TRUE(book->Begin("t", "db", "a", {9}).Repeats(1).value());
}

TEST_F(WriteIdBookTest, TheDigestIsOfWholeRows) {
  const auto digest = [](std::string_view host, std::string_view field, int64_t time, auto value) {
    model::BatchBuilder builder;
    builder.Row("m", {{"host", host}}, {time}).Field(field, value).Field("t", std::string_view("text"));
    return DigestOf(builder.batch());
  };
  const uint64_t first = digest("a", "v", 1, int64_t{5});
  EXPECT_EQ(digest("a", "v", 1, int64_t{5}), first);
  EXPECT_NE(digest("b", "v", 1, int64_t{5}), first);
  EXPECT_NE(digest("a", "w", 1, int64_t{5}), first);
  EXPECT_NE(digest("a", "v", 2, int64_t{5}), first);
  EXPECT_NE(digest("a", "v", 1, int64_t{6}), first);
  EXPECT_NE(digest("a", "v", 1, uint64_t{5}), first);
  EXPECT_NE(digest("a", "v", 1, true), first);
}

}  // namespace
}  // namespace tidemark::server
