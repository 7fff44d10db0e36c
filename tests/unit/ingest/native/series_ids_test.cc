// What is remembered of the ids of a sender's series: that it spares searches, and never speaks of another index.
#include "ingest/native/series_ids.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ingest/native/decoder.h"
#include "ingest/native/dictionary_book.h"
#include "storage/database/batch_resolver.h"
#include "storage/index/index.h"
#include "tests/unit/ingest/native/batch_message.h"

namespace tidemark::native {
namespace {

namespace database = storage::database;

struct Store {
  Store() : index(index::Index::Create(index::IndexOptions())) {}
  std::unique_ptr<index::Index> index;
  database::ShapeCache shapes;
};

class SeriesIdsTest : public testing::Test {
 protected:
  void Decode(BatchMessage& message) {
    body_ = message.Finish();
    const auto decoded = decoder_->Decode(body_, {.sender = "token", .dictionaries = &book_}, &batch_);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  }
  // "id id ..." of the rows.
  std::string Write(Store* store) {
    model::WriteReport report;
    const auto resolved = resolver_.Resolve(
        {.database = model::DatabaseId{1}, .index = store->index.get(), .shapes = &store->shapes}, batch_, &report);
    if (!resolved.ok()) return resolved.error().message;
    std::string out;
    for (const model::ResolvedRow& row : resolved->rows) {
      if (!out.empty()) out += ' ';
      out += std::to_string(model::Number(row.series));
    }
    return out;
  }
  // "id id ..." of what is remembered; "none".
  std::string Known(const Store& store) {
    std::vector<model::SeriesId> ids(batch_.rows.size());
    if (!batch_.known->Find(store.index->instance(), batch_.rows, ids.data())) return "none";
    std::string out;
    for (const model::SeriesId id : ids) out += (out.empty() ? "" : " ") + std::to_string(model::Number(id));
    return out;
  }
  static TableSpec RowsOf(std::vector<uint32_t> series) {
    std::vector<int64_t> values(series.size(), 1);
    return {.series = std::move(series), .times = {{1}}, .columns = {Ints("v", values)}};
  }

  DictionaryBook book_;
  std::unique_ptr<ingest::Decoder> decoder_ = MakeDecoder();
  database::BatchResolver resolver_;
  std::string body_;
  model::Batch batch_;
};

TEST_F(SeriesIdsTest, WhatWasWrittenIsNotSearchedAgain) {
  Store store;
  BatchMessage first;
  first.Client("c", 1, 0)
      .Series("m", {{"h", "a"}})
      .Series("m", {{"h", "b"}})
      .Series("m", {{"h", "d"}})
      .Table(RowsOf({1, 0}));
  Decode(first);
  EXPECT_EQ(Known(store), "none");
  EXPECT_EQ(Write(&store), "1 2");
  EXPECT_EQ(Known(store), "1 2");
  // With keys that no index knows, what was remembered is all that can be found.
  for (model::Row& row : batch_.rows) row.key.hash.low ^= 1;
  EXPECT_EQ(Write(&store), "1 2");
  BatchMessage more;
  more.Client("c", 1, 0).Table(RowsOf({0, 2, 1}));
  Decode(more);
  EXPECT_EQ(Known(store), "none");
  EXPECT_EQ(Write(&store), "2 3 1");
  EXPECT_EQ(Known(store), "2 3 1");
}

TEST_F(SeriesIdsTest, IdsAreOfOneIndex) {
  Store one;
  Store two;
  Store three;
  BatchMessage first;
  first.Client("c", 1, 0).Series("m", {{"h", "a"}}).Series("m", {{"h", "b"}}).Table(RowsOf({0, 1}));
  Decode(first);
  EXPECT_EQ(Write(&one), "1 2");
  BatchMessage second;
  second.Client("c", 1, 0).Table(RowsOf({1, 0}));
  Decode(second);
  EXPECT_EQ(Known(two), "none");
  EXPECT_EQ(Write(&two), "1 2");
  EXPECT_EQ(Known(one), "2 1");
  EXPECT_EQ(Known(two), "1 2");
  // Of three the one that was learnt first goes, and comes again.
  EXPECT_EQ(Write(&three), "1 2");
  EXPECT_EQ(Known(one), "none");
  EXPECT_EQ(Known(two), "1 2");
  EXPECT_EQ(Write(&one), "2 1");
  EXPECT_EQ(Known(one), "2 1");
}

TEST_F(SeriesIdsTest, AnotherGenerationMeansOtherSeries) {
  Store store;
  BatchMessage first;
  first.Client("c", 1, 0).Series("m", {{"h", "a"}}).Series("m", {{"h", "b"}}).Table(RowsOf({0, 1}));
  Decode(first);
  EXPECT_EQ(Write(&store), "1 2");
  BatchMessage second;
  second.Client("c", 2, 0).Series("m", {{"h", "b"}}).Series("m", {{"h", "a"}}).Table(RowsOf({0, 1}));
  Decode(second);
  EXPECT_EQ(Write(&store), "2 1");
  BatchMessage old;
  old.Client("c", 1, 0).Table(RowsOf({0, 1}));
  Decode(old);
  EXPECT_EQ(Write(&store), "1 2");
}

TEST_F(SeriesIdsTest, ABatchOfItsOwnRemembersNothing) {
  Store store;
  BatchMessage first;
  first.Series("m", {{"h", "a"}}).Table(RowsOf({0}));
  Decode(first);
  EXPECT_EQ(batch_.known, nullptr);
  EXPECT_EQ(Write(&store), "1");
  BatchMessage second;
  second.Series("m", {{"h", "b"}}).Table(RowsOf({0}));
  Decode(second);
  EXPECT_EQ(Write(&store), "2");
}

TEST_F(SeriesIdsTest, AConnectionsSeriesAreRememberedToo) {
  Store store;
  SeriesDictionary connection;
  const auto decode = [&](BatchMessage& message) {
    body_ = message.Finish();
    ASSERT_TRUE(decoder_->Decode(body_, {.connection = &connection}, &batch_).ok());
  };
  BatchMessage first;
  first.Series("m", {{"h", "a"}}).Series("m", {{"h", "b"}}).Table(RowsOf({1}));
  decode(first);
  EXPECT_EQ(Write(&store), "1");
  BatchMessage second;
  second.Table(RowsOf({1}));
  decode(second);
  EXPECT_EQ(Known(store), "1");
  EXPECT_EQ(Write(&store), "1");
}

TEST_F(SeriesIdsTest, WhatIsRememberedIsCounted) {
  SeriesDictionary copied;
  SeriesDictionary viewed;
  BatchMessage message;
  message.Series("m", {{"h", "a"}}).Series("m", {{"h", "b"}}).Table(RowsOf({1}));
  const std::string body = message.Finish();
  const wire::Dictionary& run = *wire::GetBatch(body.data())->dictionary();
  ASSERT_TRUE(copied.Add(run, {}, SeriesDictionary::Keys::kCopied, nullptr).ok());
  ASSERT_TRUE(viewed.Add(run, {}, SeriesDictionary::Keys::kViewed, nullptr).ok());
  EXPECT_GE(copied.bytes(), viewed.bytes() + 2 * SeriesIds::kBytesPerSeries);
}

}  // namespace
}  // namespace tidemark::native
