// The export of rows, on a store: nothing may be lost on the way out.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "query/api/api.h"
#include "query/engine/engine.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::api {
namespace {

class RowsTest : public storage::StoreFixture {
 protected:
  RowsTest() { Open(); }

  Reply Ask(const std::string& form) {
    const QueryApi api({.store = store_.get(),
                        .scheduler = nullptr,
                        .clock = &clock_,
                        .rules = nullptr,
                        .execute = &engine::Execute,
                        .metadata = nullptr});
    text::Params params;
    EXPECT_TRUE(text::ParseForm(form, &params).ok());
    Reply reply = api.Rows({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()});
    if (reply.rest != nullptr) {
      reply.rest([&](const std::string& piece) {
        reply.body += piece;
        return true;
      });
    }
    return reply;
  }

  static constexpr int64_t kNow = 1'700'000'000'000'000'000;
};

TEST_F(RowsTest, RowsComeOutAsTheyAreStored) {
  model::BatchBuilder builder;
  builder.Row("m", {{"host", "a"}}, {kNow + 1})
      .Field("unsigned", std::numeric_limits<uint64_t>::max())
      .Field("integer", std::numeric_limits<int64_t>::min())
      .Field("float", 0.1)
      .Field("boolean", true)
      .Field("string", "a \"quoted\"\ntext");
  builder.Row("m", {{"host", "a"}}, {kNow + 2}).Field("integer", int64_t{9'007'199'254'740'993});
  builder.Row("m", {{"host", "a"}}, {kNow + 3}).Field("float", std::numeric_limits<double>::infinity());
  builder.Row("m", {{"host", "a"}}, {kNow + 4}).Field("float", std::numeric_limits<double>::quiet_NaN());
  builder.Row("m", {{"host", "a"}}, {kNow + 5}).Field("float", std::bit_cast<double>(uint64_t{0x7ff0000000000002}));
  Write(builder.batch());
  const auto line = [&](const std::string& field, const std::string& type, const std::string& rest) {
    return "{\"labels\":{\"__name__\":\"m_" + field + "\",\"host\":\"a\"},\"measurement\":\"m\",\"field\":\"" + field +
           "\",\"type\":\"" + type + "\"," + rest + "}\n";
  };
  for (const bool on_disk : {false, true}) {
    if (on_disk) {
      ASSERT_TRUE(store_->Checkpoint().ok());
    }
    const Reply reply = Ask("match[]=%7Bhost%3D%22a%22%7D&match[]=m_float");
    EXPECT_EQ(reply.content_type, "application/x-ndjson");
    EXPECT_EQ(
        reply.body,
        line("unsigned", "unsigned", R"("times_ns":[1700000000000000001],"values":[18446744073709551615])") +
            line("integer", "integer",
                 R"("times_ns":[1700000000000000001,1700000000000000002],)"
                 R"("values":[-9223372036854775808,9007199254740993])") +
            line("float", "float",
                 R"("times_ns":[1700000000000000001,1700000000000000003,1700000000000000004,1700000000000000005],)"
                 R"("values":[0.1,"+Inf","NaN","stale"])") +
            line("boolean", "boolean", R"("times_ns":[1700000000000000001],"values":[true])") +
            line("string", "string", R"("times_ns":[1700000000000000001],"values":["a \"quoted\"\ntext"])") +
            "{\"end\":{\"series\":5,\"rows\":9,\"warnings\":[]}}\n");
  }
  EXPECT_EQ(Ask("match[]=m_nothing").body, "{\"end\":{\"series\":0,\"rows\":0,\"warnings\":[]}}\n");
  EXPECT_EQ(Ask("match[]=m_float&end=1600000000").body, "{\"end\":{\"series\":0,\"rows\":0,\"warnings\":[]}}\n");
  EXPECT_EQ(Ask("match[]=m%7B").status, 400);
  EXPECT_EQ(Ask("").status, 400);
}

TEST_F(RowsTest, ALongExportComesInPiecesAndSaysThatItIsWhole) {
  model::BatchBuilder builder;
  constexpr int64_t kRows = 30'000;
  for (int64_t i = 0; i < kRows; ++i) builder.Row("m", {{"host", "a"}}, {kNow + i}).Field("x", i * i);
  Write(builder.batch());
  const std::string body = Ask("match[]=m_x").body;
  EXPECT_EQ(std::count(body.begin(), body.end(), '\n'), kRows / 1000 + 1);
  EXPECT_TRUE(body.ends_with("{\"end\":{\"series\":1,\"rows\":30000,\"warnings\":[]}}\n"));
  EXPECT_NE(body.find(std::to_string((kRows - 1) * (kRows - 1)) + "]"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::query::api
