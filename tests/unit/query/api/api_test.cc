#include "query/api/api.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "query/engine/engine.h"
#include "storage/model/batch.h"
#include "tests/unit/query/api/memory_store.h"

namespace tidemark::query::api {
namespace {

constexpr int64_t kNow = 1'700'000'000;

class ApiTest : public ::testing::Test {
 protected:
  ApiTest() {
    model::BatchBuilder rows;
    for (int64_t i = 0; i < 6; ++i) {
      const model::Timestamp time{(kNow - 50 + i * 10) * 1'000'000'000};
      rows.Row("cpu", {{"host", "a"}}, time).Field("user", 1.5 + static_cast<double>(i)).Field("cores", int64_t{4});
      rows.Row("cpu", {{"host", "b"}}, time).Field("user", 10.0);
      rows.Row("log", {{"host", "a"}}, time).Field("text", "line " + std::to_string(i));
    }
    rows.Row("up", {{"job", "\"x\""}}, model::Timestamp{kNow * 1'000'000'000}).Field("value", 1.0);
    EXPECT_TRUE(store_.Write("default", rows.batch()).ok());
  }

  Reply Call(Reply (QueryApi::*handler)(const ApiRequest&) const, std::string_view form, std::string_view db = "") {
    Params params;
    EXPECT_TRUE(ParseForm(form, &params).ok());
    return (api_.*handler)({.params = params, .database = db, .stop = {}});
  }
  Reply Values(std::string_view name, std::string_view form = "") {
    Params params;
    EXPECT_TRUE(ParseForm(form, &params).ok());
    return api_.LabelValues({.params = params, .database = {}, .stop = {}}, name);
  }

  MemoryStore store_;
  ManualClock clock_{kNow * 1'000'000'000};
  QueryApi api_{{.store = &store_,
                 .scheduler = nullptr,
                 .clock = &clock_,
                 .rules = nullptr,
                 .execute = &engine::Execute,
                 .metadata = nullptr}};
};

TEST_F(ApiTest, InstantVector) {
  const Reply reply = Call(&QueryApi::Query, "query=cpu_user");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"status":"success","data":{"resultType":"vector","result":[)"
                        R"({"metric":{"__name__":"cpu_user","host":"a"},"value":[1700000000,"6.5"]},)"
                        R"({"metric":{"__name__":"cpu_user","host":"b"},"value":[1700000000,"10"]}]}})");
}

TEST_F(ApiTest, ScalarAndString) {
  EXPECT_EQ(Call(&QueryApi::Query, "query=1%2B1&time=4").body,
            R"({"status":"success","data":{"resultType":"scalar","result":[4,"2"]}})");
  EXPECT_EQ(Call(&QueryApi::Query, "query=%22a%5C%22b%22&time=0.25").body,
            R"({"status":"success","data":{"resultType":"string","result":[0.250,"a\"b"]}})");
}

TEST_F(ApiTest, MatrixOfARangeSelector) {
  EXPECT_EQ(Call(&QueryApi::Query, "query=cpu_user%7Bhost%3D%22a%22%7D%5B15s%5D").body,
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{"__name__":"cpu_user","host":"a"},"values":[[1699999990,"5.5"],[1700000000,"6.5"]]}]}})");
}

TEST_F(ApiTest, RangeQuery) {
  EXPECT_EQ(Call(&QueryApi::QueryRange, "query=sum(cpu_user)&start=1699999980&end=1700000000&step=10").body,
            R"({"status":"success","data":{"resultType":"matrix","result":[)"
            R"({"metric":{},"values":[[1699999980,"14.5"],[1699999990,"15.5"],[1700000000,"16.5"]]}]}})");
}

TEST_F(ApiTest, EmptyResults) {
  EXPECT_EQ(Call(&QueryApi::Query, "query=nothing").body,
            R"({"status":"success","data":{"resultType":"vector","result":[]}})");
  EXPECT_EQ(Call(&QueryApi::QueryRange, "query=nothing&start=0&end=1&step=1").body,
            R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
  EXPECT_EQ(Call(&QueryApi::Query, "query=nothing%5B5m%5D").body,
            R"({"status":"success","data":{"resultType":"matrix","result":[]}})");
}

TEST_F(ApiTest, LimitsWithAWarning) {
  const Reply reply = Call(&QueryApi::Query, "query=cpu_user&limit=1");
  EXPECT_NE(reply.body.find(R"("warnings":["results truncated due to limit"])"), std::string::npos) << reply.body;
  EXPECT_EQ(reply.body.find(R"("host":"b")"), std::string::npos);
}

TEST_F(ApiTest, StatsOnlyWhenAsked) {
  EXPECT_EQ(Call(&QueryApi::Query, "query=cpu_user").body.find("stats"), std::string::npos);
  EXPECT_NE(Call(&QueryApi::Query, "query=cpu_user&stats=all").body.find(R"("stats":{"timings":{"evalTotalTime":)"),
            std::string::npos);
}

TEST_F(ApiTest, RefusesInPrometheusWords) {
  const auto error = [](std::string_view type, std::string_view text) {
    return R"({"status":"error","errorType":")" + std::string(type) + R"(","error":")" + std::string(text) + "\"}";
  };
  const std::pair<const char*, std::string> instant[] = {
      {"query=up&time=x",
       R"(invalid parameter \"time\": Invalid time value for 'time': cannot parse \"x\" to a valid timestamp)"},
      {"query=up&timeout=x", R"(invalid parameter \"timeout\": cannot parse \"x\" to a valid duration)"},
      {"query=up&limit=-1", R"(invalid parameter \"limit\": limit must be non-negative)"},
      {"query=up&lookback_delta=x", R"(error parsing lookback delta duration: cannot parse \"x\" to a valid duration)"},
  };
  for (const auto& [form, text] : instant) {
    const Reply reply = Call(&QueryApi::Query, form);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, error("bad_data", text)) << form;
  }
  const std::pair<const char*, std::string> range[] = {
      {"query=up&end=1&step=1", R"(invalid parameter \"start\": cannot parse \"\" to a valid timestamp)"},
      {"query=up&start=2&end=1&step=1", R"(invalid parameter \"end\": end timestamp must not be before start time)"},
      {"query=up&start=1&end=2&step=0",
       R"(invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer)"},
      {"query=up&start=1&end=2&step=-1",
       R"(invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer)"},
      {"query=up&start=1&end=2&step=foo", R"(invalid parameter \"step\": cannot parse \"foo\" to a valid duration)"},
      {"query=up&start=0&end=11001&step=1",
       "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"},
      {"query=up%5B1m%5D&start=0&end=1&step=1",
       R"(invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector)"},
  };
  for (const auto& [form, text] : range) {
    const Reply reply = Call(&QueryApi::QueryRange, form);
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, error("bad_data", text)) << form;
  }
  EXPECT_EQ(Call(&QueryApi::QueryRange, "query=up&start=0&end=11000&step=1").status, 200);
  const Reply parse = Call(&QueryApi::Query, "query=up%7B");
  EXPECT_EQ(parse.status, 400);
  EXPECT_NE(parse.body.find(R"(invalid parameter \"query\": 1:4: parse error: )"), std::string::npos) << parse.body;
}

TEST_F(ApiTest, ExecutionErrorsAre422) {
  const Reply reply = Call(&QueryApi::Query, "query=cpu_user%20*%20on()%20cpu_user");
  EXPECT_EQ(reply.status, 422) << reply.body;
  EXPECT_NE(reply.body.find(R"("errorType":"execution")"), std::string::npos);
}

TEST_F(ApiTest, ADatabaseWithoutAPointIsEmpty) {
  const char* const nothing = R"({"status":"success","data":{"resultType":"vector","result":[]}})";
  EXPECT_EQ(Call(&QueryApi::Query, "query=up&db=other").body, nothing);
  EXPECT_EQ(Call(&QueryApi::Query, "query=up", "other").body, nothing);
  EXPECT_EQ(Call(&QueryApi::Query, "query=1&db=other").status, 200);
  EXPECT_EQ(Call(&QueryApi::Labels, "db=other").body, R"({"status":"success","data":[]})");
}

TEST_F(ApiTest, LabelsAndValues) {
  EXPECT_EQ(Call(&QueryApi::Labels, "").body, R"({"status":"success","data":["__name__","host","job"]})");
  EXPECT_EQ(Call(&QueryApi::Labels, "match[]=up&match[]=%7Bhost%3D%22b%22%7D").body,
            R"({"status":"success","data":["__name__","host","job"]})");
  EXPECT_EQ(Call(&QueryApi::Labels, "match[]=up").body, R"({"status":"success","data":["__name__","job"]})");
  EXPECT_EQ(Values("host").body, R"({"status":"success","data":["a","b"]})");
  EXPECT_EQ(Values("U__host", "limit=1").body,
            R"({"status":"success","data":["a"],"warnings":["results truncated due to limit"]})");
  EXPECT_EQ(Values("\xFF").status, 400);
  EXPECT_EQ(Call(&QueryApi::Labels, "match[]=%7B%7D").status, 400);
}

TEST_F(ApiTest, Series) {
  EXPECT_EQ(Call(&QueryApi::Series, "match[]=up").body,
            R"({"status":"success","data":[{"__name__":"up","job":"\"x\""}]})");
  EXPECT_EQ(Call(&QueryApi::Series, "").body,
            R"({"status":"error","errorType":"bad_data","error":"no match[] parameter provided"})");
  EXPECT_EQ(
      Call(&QueryApi::Series, "match[]=%7Bhost%3D~%22.%2B%22%7D&limit=1").body,
      R"({"status":"success","data":[{"__name__":"cpu_cores","host":"a"}],"warnings":["results truncated due to limit"]})");
}

TEST_F(ApiTest, MetadataListsNumbers) {
  const std::string body = Call(&QueryApi::Metadata, "").body;
  EXPECT_NE(body.find(R"("cpu_user":[{"type":"unknown","help":"","unit":""}])"), std::string::npos) << body;
  EXPECT_EQ(body.find("log_text"), std::string::npos);
  EXPECT_EQ(Call(&QueryApi::Metadata, "limit=0").body, R"({"status":"success","data":{}})");
  EXPECT_EQ(Call(&QueryApi::Metadata, "metric=up").body,
            R"({"status":"success","data":{"up":[{"type":"unknown","help":"","unit":""}]}})");
}

TEST_F(ApiTest, BuildInfoHasNoFeatures) {
  const std::string body = api_.BuildInfo().body;
  EXPECT_NE(body.find(R"("version":")"), std::string::npos);
  EXPECT_EQ(body.find("features"), std::string::npos);
}

TEST_F(ApiTest, EventsAreTheNewestInOrder) {
  EXPECT_EQ(
      Call(&QueryApi::Events, "limit=2").body,
      R"({"status":"success","data":[)"
      R"({"time":1699999990,"time_ns":"1699999990000000000","labels":{"__name__":"log_text","host":"a"},"text":"line 4"},)"
      R"({"time":1700000000,"time_ns":"1700000000000000000","labels":{"__name__":"log_text","host":"a"},"text":"line 5"}],)"
      R"("warnings":["older events were left out: raise limit or narrow start and end"]})");
  const std::string body = Call(&QueryApi::Events, "match[]=log_text&start=1699999960&end=1699999970").body;
  EXPECT_NE(body.find("line 1"), std::string::npos);
  EXPECT_NE(body.find("line 2"), std::string::npos);
  EXPECT_EQ(body.find("line 3"), std::string::npos);
  EXPECT_EQ(Call(&QueryApi::Events, "match[]=log_text%7Bhost%3D%22b%22%7D").body, R"({"status":"success","data":[]})");
}

TEST(EventTap, ShowsNewStringsToThoseWhoAsk) {
  MemoryStore store;
  EventTap tap(&store);
  std::vector<std::string> seen;
  bool alive = true;
  ASSERT_TRUE(tap.Follow(
                     {.database = "db", .matchers = {{{model::MatchOp::kRegex, "host", "a|b"}}}},
                     [&seen](const Event& event) {
                       std::string json;
                       AppendEventJson(&json, event);
                       seen.push_back(json);
                       return true;
                     },
                     [&alive] { return alive; })
                  .ok());
  model::BatchBuilder rows;
  rows.Row("log", {{"host", "a"}}, model::Timestamp{1}).Field("text", "one").Field("n", int64_t{1});
  rows.Row("log", {{"host", "c"}}, model::Timestamp{1}).Field("text", "two");
  ASSERT_TRUE(tap.Write("db", rows.batch()).ok());
  ASSERT_TRUE(tap.Write("other", rows.batch()).ok());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], R"({"time":0,"time_ns":"1","labels":{"__name__":"log_text","host":"a"},"text":"one"})");
  store.fail_with.message = "disk";
  EXPECT_FALSE(tap.Write("db", rows.batch()).ok());
  EXPECT_EQ(seen.size(), 1U);
  store.fail_with.message.clear();
  alive = false;
  ASSERT_TRUE(tap.Write("db", rows.batch()).ok());
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(tap.followers(), 0U);
}

TEST(EventTap, RefusesBadMatchers) {
  MemoryStore store;
  EventTap tap(&store);
  const Status following = tap.Follow(
      {.database = "", .matchers = {{{model::MatchOp::kRegex, "host", "("}}}}, [](const Event&) { return true; },
      [] { return true; });
  EXPECT_EQ(following.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace tidemark::query::api
