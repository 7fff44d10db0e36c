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
    return api.QueryRange({.params = params, .database = {}, .stop = {}}).body;
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

TEST_F(CachedApiTest, NoMemoryNoCache) {
  const QueryApi api = MakeApi(0);
  EXPECT_EQ(Ask(api), Ask(api));
  EXPECT_EQ(api.CacheStats().misses + api.CacheStats().hits + api.CacheStats().bypassed, 0U);
}

}  // namespace
}  // namespace tidemark::query::api
