// The result cache as requests see it, on a store.
#include <gtest/gtest.h>

#include <string>

#include "query/api/api.h"
#include "query/engine/engine.h"
#include "tests/unit/storage/engine/store_fixture.h"

namespace tidemark::query::api {
namespace {

class CachedApiTest : public storage::StoreFixture {
 protected:
  CachedApiTest() {
    Open();
    for (int64_t i = 0; i < 60; ++i) WriteDouble("a", (kNow - 600 + i * 10) * 1'000'000'000, static_cast<double>(i));
  }

  [[nodiscard]] QueryApi MakeApi(uint64_t cache_bytes = 1 << 20) {
    ApiOptions options;
    options.cache_bytes = cache_bytes;
    return QueryApi({.store = store_.get(),
                     .scheduler = nullptr,
                     .clock = &clock_,
                     .rules = nullptr,
                     .execute = &engine::Execute,
                     .metadata = nullptr},
                    options);
  }
  static std::string Ask(const QueryApi& api, std::string_view more = "") {
    text::Params params;
    const std::string form = "query=cpu_usage%2B1&start=1699999500&end=1700000000&step=50" + std::string(more);
    EXPECT_TRUE(text::ParseForm(form, &params).ok());
    return api.QueryRange({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}).body;
  }

  static constexpr int64_t kNow = 1'700'000'000;
};

TEST_F(CachedApiTest, TheSameReplyTwiceAndAfterALateRow) {
  const QueryApi api = MakeApi();
  const std::string first = Ask(api);
  EXPECT_EQ(Ask(api), first);
  EXPECT_EQ(api.CacheStats().hits, 1U);
  WriteDouble("a", (kNow - 200) * 1'000'000'000, 1e6);
  const std::string after = Ask(api);
  EXPECT_NE(after, first);
  EXPECT_EQ(after, Ask(api, "&nocache=1"));
  EXPECT_EQ(api.CacheStats().partial_hits, 1U);
}

TEST_F(CachedApiTest, NocacheNeitherReadsNorKeeps) {
  const QueryApi api = MakeApi();
  Ask(api, "&nocache=1");
  EXPECT_EQ(api.CacheStats().entries, 0U);
  Ask(api);
  EXPECT_EQ(api.CacheStats().misses, 1U);
  Ask(api, "&nocache=1");
  EXPECT_EQ(api.CacheStats().hits, 0U);
}

TEST_F(CachedApiTest, ExplainAndStatsSayWhereStepsCameFrom) {
  const QueryApi api = MakeApi();
  EXPECT_NE(Ask(api, "&explain=1").find(R"("cache":"miss","stepsReused":0)"), std::string::npos);
  EXPECT_NE(Ask(api, "&explain=1").find(R"("cache":"hit","stepsReused":11,"plan":null)"), std::string::npos);
  EXPECT_NE(Ask(api, "&stats=all").find(R"("cache":"hit","stepsReused":11)"), std::string::npos);
  EXPECT_NE(Ask(api, "&explain=1&nocache=1").find(R"("cache":"off","stepsReused":0)"), std::string::npos);
}

// What stands behind `key` in a reply, up to the next comma or brace.
std::string Member(const std::string& body, const std::string& key) {
  const size_t at = body.find('"' + key + "\":");
  if (at == std::string::npos) return "";
  const size_t from = at + key.size() + 3;
  const std::string value = body.substr(from, body.find_first_of(",}", from) - from);
  return value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
}

// The samples of a reply, as text.
std::string Values(const std::string& body) {
  const size_t at = body.find(R"("values":)");
  return at == std::string::npos ? "" : body.substr(at + 10, body.find("]]", at) - at - 9);
}

TEST_F(CachedApiTest, SinceGivesWhatChanged) {
  const QueryApi api = MakeApi();
  const std::string plain = Ask(api);
  EXPECT_EQ(plain.find("since"), std::string::npos) << "Prometheus' shape for who does not ask";
  const std::string first = Ask(api, "&since=0");
  EXPECT_EQ(Values(first), Values(plain));
  EXPECT_EQ(Member(first, "changedFrom"), "");
  const std::string word = Member(first, "since");
  ASSERT_FALSE(word.empty()) << first;

  const std::string again = Ask(api, "&since=" + word);
  EXPECT_EQ(Values(again), "");
  EXPECT_NE(again.find(R"("result":[])"), std::string::npos) << again;
  EXPECT_EQ(Member(again, "changedFrom"), "1700000050") << "the step behind the last";

  // A row between the last two steps but one: the steps whose look-back holds it are sent.
  WriteDouble("a", (kNow - 95) * 1'000'000'000, 1e6);
  const std::string late = Ask(api, "&since=" + word);
  EXPECT_EQ(Member(late, "changedFrom"), "1699999950");
  const std::string whole = Values(Ask(api));
  EXPECT_EQ(Values(late), whole.substr(whole.find("[1699999950")));

  // A new series, and a series that has nothing new, which does not come again.
  WriteDouble("b", kNow * 1'000'000'000, 7);
  const std::string other = Ask(api, "&since=" + Member(late, "since"));
  EXPECT_NE(other.find(R"("host":"b")"), std::string::npos) << other;
  EXPECT_EQ(Member(other, "changedFrom"), "1700000000");
}

TEST_F(CachedApiTest, SinceOfSomethingElseGivesAll) {
  const QueryApi api = MakeApi();
  const std::string word = Member(Ask(api, "&since=0"), "since");
  const std::string whole = Values(Ask(api));
  const auto ask = [&](const std::string& form) {
    text::Params params;
    EXPECT_TRUE(text::ParseForm(form, &params).ok());
    return api.QueryRange({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}).body;
  };
  for (const char* const other : {"query=cpu_usage%2B2&start=1699999500&end=1700000000&step=50",
                                  "query=cpu_usage%2B1&start=1699999500&end=1700000000&step=25",
                                  "query=cpu_usage%2B1&start=1699999510&end=1700000000&step=50",
                                  "query=cpu_usage%2B1&start=1699999450&end=1700000000&step=50",
                                  "query=cpu_usage%2B1&start=1699999500&end=1700000000&step=50&lookback_delta=1m"}) {
    EXPECT_EQ(Member(ask(other + std::string("&since=") + word), "changedFrom"), "") << other;
  }
  for (const std::string& bad :
       {std::string("x"), word + "0", word.substr(1), word.substr(0, word.size() - 1), std::string("1.2.3"),
        std::string("1.99999999.0.1.1.1"), std::string("1.1.0.0.5.5"), std::string("-1.1.1.1.1.1"),
        std::string("1.1.9223372036854775807.9223372036854775807.1000000.1")}) {
    const std::string body = Ask(api, "&since=" + bad);
    EXPECT_EQ(Values(body), whole) << bad;
    EXPECT_EQ(Member(body, "changedFrom"), "") << bad;
  }
  EXPECT_EQ(Member(ask("query=cpu_usage&start=1699999500&end=1700000000&step=50&since=0&limit=1"), "since"), "")
      << "what a limit leaves out is not known";
  EXPECT_EQ(Member(ask("query=cpu_usage%2Bstart()&start=1699999500&end=1700000000&step=50&since=0"), "since"), "")
      << "depends on its range";
  // The window moves on: what it has in common with the one before is not sent.
  const std::string moved = ask("query=cpu_usage%2B1&start=1699999600&end=1700000100&step=50&since=" + word);
  EXPECT_EQ(Member(moved, "changedFrom"), "1700000050");
}

TEST_F(CachedApiTest, NoMemoryNoCache) {
  const QueryApi api = MakeApi(0);
  EXPECT_EQ(Ask(api), Ask(api));
  EXPECT_EQ(api.CacheStats().misses + api.CacheStats().hits + api.CacheStats().bypassed, 0U);
}

}  // namespace
}  // namespace tidemark::query::api
