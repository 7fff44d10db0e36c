// Requests about names are bounded as queries are: by memory, by their deadline, by a client that goes away.
#include <fmt/core.h>

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "tests/unit/query/api/api_fixture.h"

namespace tidemark::query::api {
namespace {

constexpr int kHosts = 2000;

class NamesBudgetTest : public ApiTest {
 protected:
  NamesBudgetTest() {
    model::BatchBuilder rows;
    for (int i = 0; i < kHosts; ++i) {
      const std::string host = fmt::format("h{:04}", i);
      rows.Row("many", {{"host", host}}, model::Timestamp{kNow * 1'000'000'000}).Field("value", 1.0);
      rows.Row("log", {{"host", host}}, model::Timestamp{kNow * 1'000'000'000}).Field("text", "a line of " + host);
    }
    EXPECT_TRUE(store_.Write("default", rows.batch()).ok());
  }

  using Ask = std::function<Reply(const QueryApi&, const ApiRequest&)>;
  // Each kind of request that looks at names or at the newest rows of many series.
  static std::map<std::string, Ask> Kinds() {
    return {
        {"series", [](const QueryApi& api, const ApiRequest& request) { return api.Series(request); }},
        {"values", [](const QueryApi& api, const ApiRequest& request) { return api.LabelValues(request, "host"); }},
        {"status/tsdb", [](const QueryApi& api, const ApiRequest& request) { return api.StatusTsdb(request); }},
        {"federate", [](const QueryApi& api, const ApiRequest& request) { return api.Federate(request, ""); }},
        {"events", [](const QueryApi& api, const ApiRequest& request) { return api.Events(request); }},
    };
  }
  // Those, and what sends its answer piece by piece.
  static std::map<std::string, Ask> AllKinds() {
    std::map<std::string, Ask> kinds = Kinds();
    kinds.emplace("rows", [](const QueryApi& api, const ApiRequest& request) { return api.Rows(request); });
    return kinds;
  }
  const text::Params params_ = Form("match[]={__name__=~\".%2b\"}");
  ApiRequest request_{.params = params_, .database = {}, .filter = storage::SeriesFilter::Everything()};
};

TEST_F(NamesBudgetTest, WhatAllTogetherHoldIsBounded) {
  const QueryApi api = With({.total_memory_bytes = 20'000});
  for (const auto& [kind, ask] : Kinds()) {
    const Reply reply = ask(api, request_);
    EXPECT_EQ(reply.status, 503) << kind << ": " << reply.body.substr(0, 200);
    EXPECT_NE(reply.body.find("all queries together need more than their memory budget"), std::string::npos) << kind;
    bool retry = false;
    for (const auto& [name, value] : reply.headers) retry = retry || name == "Retry-After";
    EXPECT_TRUE(retry) << kind;
    EXPECT_EQ(api.query_memory_bytes(), 0U) << kind << " gives back what it took";
  }
}

TEST_F(NamesBudgetTest, TheSeriesOfRowsThatAreSentAreCounted) {
  const QueryApi api = With({.total_memory_bytes = 5'000});
  EXPECT_EQ(api.Rows(request_).status, 503);
  EXPECT_EQ(api.query_memory_bytes(), 0U);
  {
    const Reply reply = api_.Rows(request_);
    ASSERT_TRUE(reply.rest) << "long enough to be sent in pieces";
    EXPECT_GT(api_.query_memory_bytes(), 0U);
  }
  EXPECT_EQ(api_.query_memory_bytes(), 0U);
}

TEST_F(NamesBudgetTest, WhatOneHoldsIsBounded) {
  ApiOptions options;
  options.budget.max_bytes = 20'000;
  const QueryApi api = With(options);
  for (const auto& [kind, ask] : Kinds()) {
    const Reply reply = ask(api, request_);
    EXPECT_EQ(reply.status, 422) << kind << ": " << reply.body.substr(0, 200);
    EXPECT_NE(reply.body.find("memory budget"), std::string::npos) << kind;
  }
}

TEST_F(NamesBudgetTest, WithALimitOnlySoManyAreHeld) {
  ApiOptions options;
  options.budget.max_bytes = 100'000;
  const QueryApi api = With(options);
  EXPECT_EQ(api.Series(request_).status, 422);
  const text::Params limited = Form("match[]={__name__=~\".%2b\"}&limit=3");
  const Reply reply = api.Series({.params = limited, .database = {}, .filter = storage::SeriesFilter::Everything()});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(reply.body.find("results truncated due to limit"), std::string::npos);
  const Reply all = api_.Series(request_);
  ASSERT_EQ(all.status, 200);
  // Three of all of them, in order.
  size_t shown = 0;
  size_t place = 0;
  for (size_t at = reply.body.find("{\"__name__\""); at != std::string::npos; ++shown) {
    const size_t end = reply.body.find('}', at);
    ASSERT_NE(end, std::string::npos) << reply.body;
    place = all.body.find(reply.body.substr(at, end + 1 - at), place);
    ASSERT_NE(place, std::string::npos) << reply.body;
    at = reply.body.find("{\"__name__\"", end);
  }
  EXPECT_EQ(shown, 3U) << reply.body;
  // As many as there are: nothing is left out.
  const text::Params roomy = Form("match[]=up&limit=1");
  EXPECT_EQ(api.Series({.params = roomy, .database = {}, .filter = storage::SeriesFilter::Everything()})
                .body.find("truncated"),
            std::string::npos);
}

TEST_F(NamesBudgetTest, TheyEndWhenTheClientGoes) {
  std::stop_source stop;
  stop.request_stop();
  request_.stop = stop.get_token();
  for (const auto& [kind, ask] : AllKinds()) EXPECT_EQ(ask(api_, request_).status, 499) << kind;
}

TEST_F(NamesBudgetTest, TheySayWhenTheirAnswerHasToBeOut) {
  std::optional<int64_t> deadline_ns;
  std::optional<Reply> late;
  request_.on_deadline = [&](int64_t at_ns, Reply reply) {
    deadline_ns = at_ns;
    late = std::move(reply);
  };
  for (const auto& [kind, ask] : AllKinds()) {
    deadline_ns.reset();
    EXPECT_EQ(ask(api_, request_).status, 200) << kind;
    EXPECT_EQ(deadline_ns, clock_.SteadyNs() + ApiOptions().timeout_ms * 1'000'000) << kind;
    EXPECT_EQ(late->status, 503) << kind;
    EXPECT_NE(late->body.find("timed out"), std::string::npos) << kind;
  }
}

}  // namespace
}  // namespace tidemark::query::api
