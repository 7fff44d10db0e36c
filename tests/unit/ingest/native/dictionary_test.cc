// What is remembered of series between batches: whose it is, how long it stays, and what a sender is told when it is
// gone.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ingest/native/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "tests/unit/ingest/native/batch_message.h"

namespace tidemark::native {
namespace {

class NativeDictionaryTest : public testing::Test {
 protected:
  // "" and the rows' series, or the error.
  std::string Send(BatchMessage& message, std::string_view sender = "token") {
    body_ = message.Finish();
    const auto decoded =
        decoder_->Decode(body_, {.sender = sender, .dictionaries = &book_, .connection = connection_}, &batch_);
    if (!decoded.ok()) return std::string(Phrase(decoded.error().code)) + ": " + decoded.error().message;
    std::string out;
    for (const model::Row& row : batch_.rows) out += PrintKey(row.key.bytes) + ";";
    return out;
  }
  static TableSpec RowsOf(std::vector<uint32_t> series) {
    std::vector<int64_t> values(series.size(), 1);
    return {.series = std::move(series), .times = {{1}}, .columns = {Ints("v", values)}};
  }

  DictionaryBook book_{Limits{.max_series = 100, .max_dictionaries = 3}};
  std::unique_ptr<ingest::Decoder> decoder_ = MakeDecoder();
  SeriesDictionary* connection_ = nullptr;
  std::string body_;
  model::Batch batch_;
};

TEST_F(NativeDictionaryTest, SeriesAreNamedOnce) {
  BatchMessage first;
  first.Client("c", 7, 0).Series("a", {}).Series("b", {}).Table(RowsOf({1}));
  EXPECT_EQ(Send(first), "b;");
  BatchMessage second;
  second.Client("c", 7, 0).Table(RowsOf({0, 1}));
  EXPECT_EQ(Send(second), "a;b;");
  BatchMessage third;
  third.Client("c", 7, 2).Series("d", {{"x", "y"}}).Table(RowsOf({2}));
  EXPECT_EQ(Send(third), "d,x=y;");
  EXPECT_EQ(book_.stats().dictionaries, 1U);
  EXPECT_GT(book_.stats().bytes, 0U);
}

TEST_F(NativeDictionaryTest, WhatIsNotKnownIsAskedForAgain) {
  BatchMessage stranger;
  stranger.Client("c", 7, 0).Table(RowsOf({0}));
  EXPECT_EQ(Send(stranger),
            "not found: generation 7 of the dictionary of this client is not known here; define its series anew");
  BatchMessage late;
  late.Client("c", 7, 5).Series("a", {}).Table(RowsOf({5}));
  EXPECT_TRUE(Send(late).starts_with("not found: ")) << Send(late);
  BatchMessage first;
  first.Client("c", 7, 0).Series("a", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(first), "a;");
  BatchMessage gap;
  gap.Client("c", 7, 5).Series("f", {}).Table(RowsOf({5}));
  EXPECT_EQ(Send(gap), "not found: series 1 to 4 of the dictionary are not known here; define all of them anew");
  BatchMessage beyond;
  beyond.Client("c", 7, 0).Table(RowsOf({0, 1}));
  EXPECT_EQ(Send(beyond),
            "not found: series 1 of the dictionary is not known here, which ends at 1; define all of them anew");
  EXPECT_TRUE(batch_.rows.empty());
  // Another's dictionary is as one that is not there.
  BatchMessage other;
  other.Client("c", 7, 0).Table(RowsOf({0}));
  EXPECT_TRUE(Send(other, "another token").starts_with("not found: "));
}

TEST_F(NativeDictionaryTest, ARunMayComeTwiceButNotOtherwise) {
  BatchMessage first;
  first.Client("c", 1, 0).Series("a", {}).Series("b", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(first), "a;");
  BatchMessage again;
  again.Client("c", 1, 0).Series("a", {}).Series("b", {}).Series("c", {}).Table(RowsOf({2}));
  EXPECT_EQ(Send(again), "c;");
  BatchMessage otherwise;
  otherwise.Client("c", 1, 1).Series("x", {}).Table(RowsOf({1}));
  EXPECT_EQ(Send(otherwise), "conflict: series 1 is b and cannot become x; other series need another generation");
  BatchMessage after;
  after.Client("c", 1, 0).Table(RowsOf({1}));
  EXPECT_EQ(Send(after), "b;");
}

TEST_F(NativeDictionaryTest, TheOneUsedLongestAgoGoes) {
  for (const char* client : {"a", "b", "c"}) {
    BatchMessage message;
    message.Client(client, 1, 0).Series(client, {}).Table(RowsOf({0}));
    EXPECT_EQ(Send(message), std::string(client) + ";");
  }
  BatchMessage use;
  use.Client("a", 1, 0).Table(RowsOf({0}));
  EXPECT_EQ(Send(use), "a;");
  BatchMessage fourth;
  fourth.Client("d", 1, 0).Series("d", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(fourth), "d;");
  EXPECT_EQ(book_.stats().dictionaries, 3U);
  EXPECT_EQ(book_.stats().forgotten, 1U);
  BatchMessage gone;
  gone.Client("b", 1, 0).Table(RowsOf({0}));
  EXPECT_TRUE(Send(gone).starts_with("not found: "));
  BatchMessage kept;
  kept.Client("a", 1, 0).Table(RowsOf({0}));
  EXPECT_EQ(Send(kept), "a;");
}

TEST_F(NativeDictionaryTest, OldGenerationsAreForgotten) {
  for (uint64_t generation = 1; generation <= 3; ++generation) {
    BatchMessage message;
    message.Client("c", generation, 0).Series("a", {}).Table(RowsOf({0}));
    EXPECT_EQ(Send(message), "a;");
  }
  BatchMessage old;
  old.Client("c", 1, 0).Table(RowsOf({0}));
  EXPECT_TRUE(Send(old).starts_with("not found: "));
  BatchMessage before;
  before.Client("c", 2, 0).Table(RowsOf({0}));
  EXPECT_EQ(Send(before), "a;");
}

TEST_F(NativeDictionaryTest, BytesOfAllAreBounded) {
  DictionaryBook book(Limits{.max_book_bytes = 40'000});
  const auto grow = [&](std::string_view client, uint64_t bytes) {
    static_cast<void>(book.Find({"t", client, 1}, true));
    book.Grew({"t", client, 1}, bytes);
  };
  grow("a", 30'000);
  grow("b", 9'000);
  EXPECT_EQ(book.stats().dictionaries, 2U);
  grow("c", 20'000);
  EXPECT_EQ(book.Find({"t", "a", 1}, false), nullptr);
  EXPECT_NE(book.Find({"t", "b", 1}, false), nullptr);
  EXPECT_EQ(book.stats().bytes, 29'000U);
  // One that alone is larger stays: its own limit bounds it.
  grow("b", 90'000);
  EXPECT_EQ(book.stats().dictionaries, 1U);
  EXPECT_NE(book.Find({"t", "b", 1}, false), nullptr);
}

TEST_F(NativeDictionaryTest, AConnectionRemembersWithoutAName) {
  SeriesDictionary dictionary;
  connection_ = &dictionary;
  BatchMessage first;
  first.Series("a", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(first), "a;");
  BatchMessage second;
  second.Client("", 0, 1).Series("b", {}).Table(RowsOf({0, 1}));
  EXPECT_EQ(Send(second), "a;b;");
  BatchMessage third;
  third.Table(RowsOf({1}));
  EXPECT_EQ(Send(third), "b;");
  BatchMessage beyond;
  beyond.Table(RowsOf({2}));
  EXPECT_TRUE(Send(beyond).starts_with("not found: "));
}

TEST_F(NativeDictionaryTest, WithoutAClientABatchStandsForItself) {
  BatchMessage first;
  first.Series("a", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(first), "a;");
  BatchMessage second;
  second.Table(RowsOf({0}));
  EXPECT_EQ(Send(second), "");
  BatchMessage third;
  third.Client("", 0, 1).Series("b", {}).Table(RowsOf({1}));
  EXPECT_EQ(Send(third), "invalid argument: dictionary: first is not 0, in a batch without a client");
}

TEST_F(NativeDictionaryTest, NamesOfClientsAreBounded) {
  BatchMessage message;
  message.Client(std::string(65, 'c'), 1, 0).Series("a", {}).Table(RowsOf({0}));
  EXPECT_EQ(Send(message), "limit exceeded: the name of the client has more than 64 bytes");
}

}  // namespace
}  // namespace tidemark::native
