#include "query/api/api.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "query/engine/engine.h"
#include "tests/unit/query/api/api_fixture.h"

namespace tidemark::query::api {
namespace {

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

// With what it asked and read, failed or not, and on one line whatever its text.
TEST_F(ApiTest, SlowQueriesAreTold) {
  bool fails = false;
  int64_t takes_ms = 400;
  ApiOptions options;
  options.slow_query_ms = 500;
  const QueryApi api({.store = &store_,
                      .scheduler = nullptr,
                      .clock = &clock_,
                      .rules = nullptr,
                      .execute =
                          [&](const auto& expr, const auto& range, const auto& context) {
                            clock_.Advance(takes_ms * 1'000'000);
                            if (fails) return Result<run::QueryResult>(LimitExceeded("too\nmuch"));
                            return engine::Execute(expr, range, context);
                          },
                      .metadata = nullptr},
                     options);
  const auto told = [&](std::string_view form, bool range) {
    const text::Params params = Form(form);
    ::testing::internal::CaptureStderr();
    const ApiRequest request{.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()};
    static_cast<void>(range ? api.QueryRange(request) : api.Query(request));
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told("query=cpu_user&nocache=1", false), "") << "quick enough";
  takes_ms = 1'500;
  std::string line = told("query=cpu_user%0A%2B+0&nocache=1", false);
  EXPECT_NE(line.find(R"(slow query: 1.500 s in default: "cpu_user\n+ 0" at )"), std::string::npos) << line;
  EXPECT_NE(line.find("2 series, "), std::string::npos) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  line = told("query=cpu_user&start=1700000000&end=1700000060&step=15&nocache=1", true);
  EXPECT_NE(line.find("from 2023-11-14T22:13:20Z to 2023-11-14T22:14:20Z every 15000 ms: "), std::string::npos) << line;
  fails = true;
  line = told("query=cpu_user&nocache=1", false);
  EXPECT_NE(line.find(R"(: "too\nmuch")"), std::string::npos) << line;
  line = told("query=cpu_user%7Bhost%3D%22" + std::string(3'000, 'a') + "%22%7D", false);
  EXPECT_NE(line.find("... (3017 bytes)"), std::string::npos) << line.substr(0, 100);
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

TEST_F(ApiTest, ExplainsWhenAsked) {
  EXPECT_EQ(Call(&QueryApi::Query, "query=cpu_user").body.find("explain"), std::string::npos);
  const std::string body = Call(&QueryApi::Query, "query=sum(cpu_user)&explain=1").body;
  EXPECT_NE(body.find(R"("explain":{"resolution":"raw")"), std::string::npos) << body;
  EXPECT_NE(body.find(R"("plan":)"), std::string::npos) << body;
  EXPECT_NE(body.find(R"x("text":"sum(cpu_user)")x"), std::string::npos) << body;
  EXPECT_TRUE(body.ends_with("}}")) << body;
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
      R"({"status":"success","data":[{"__name__":"cpu_user","host":"a"}],"warnings":["results truncated due to limit"]})");
}

TEST_F(ApiTest, MetadataListsNumbers) {
  const std::string body = Call(&QueryApi::Metadata, "").body;
  EXPECT_NE(body.find(R"("cpu_user":[{"type":"unknown","help":"","unit":""}])"), std::string::npos) << body;
  EXPECT_EQ(body.find("log_text"), std::string::npos);
  EXPECT_EQ(Call(&QueryApi::Metadata, "limit=0").body, R"({"status":"success","data":{}})");
  EXPECT_EQ(Call(&QueryApi::Metadata, "metric=up").body,
            R"({"status":"success","data":{"up":[{"type":"unknown","help":"","unit":""}]}})");
}

TEST_F(ApiTest, MetadataIsOfFamilies) {
  MetadataBook book;
  book.Put("", "", "latency_seconds", {"histogram", "Time of answers.", "seconds"});
  model::BatchBuilder rows;
  for (const char* name : {"latency_seconds_bucket", "latency_seconds_count", "latency_seconds_sum", "size_bucket",
                           "size_count", "size_sum", "errors_sum"}) {
    rows.Row(name, {}, model::Timestamp{kNow * 1'000'000'000}).Field("value", 1.0);
  }
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const QueryApi api({.store = &store_, .clock = &clock_, .execute = &engine::Execute, .metadata = &book});
  const auto ask = [&](std::string_view form) {
    const text::Params params = Form(form);
    return api.Metadata({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}).body;
  };
  const std::string all = ask("");
  EXPECT_NE(all.find(R"("latency_seconds":[{"type":"histogram","help":"Time of answers.","unit":"seconds"}],)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find(R"("size":[{"type":"histogram","help":"","unit":""}])"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("errors_sum":[{"type":"counter")"), std::string::npos) << all;
  EXPECT_EQ(all.find("_bucket"), std::string::npos) << all;
  EXPECT_EQ(all.find("_count"), std::string::npos) << all;
  EXPECT_EQ(ask("metric=size"), R"({"status":"success","data":{"size":[{"type":"histogram","help":"","unit":""}]}})");
}

TEST_F(ApiTest, FormatAndParse) {
  EXPECT_EQ(Call(&QueryApi::FormatQuery, "query=sum(up)by(job)").body,
            R"x({"status":"success","data":"sum by (job) (up)"})x");
  const std::pair<const char*, const char*> trees[] = {
      {"query=1.5", R"({"type":"numberLiteral","val":"1.5"})"},
      {"query=-(1)",
       R"({"expr":{"expr":{"type":"numberLiteral","val":"1"},"type":"parenExpr"},"op":"-","type":"unaryExpr"})"},
      {"query=%22a%22", R"({"type":"stringLiteral","val":"a"})"},
      {"query=up%7Ba!~%22b%22%7D%20offset%205m",
       R"({"anchored":false,"matchers":[{"name":"a","type":"!~","value":"b"},{"name":"__name__","type":"=","value":"up"}],)"
       R"("name":"up","offset":300000,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"})"},
      {"query=rate(up%5B1m%5D%20@%20end())",
       R"({"args":[{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"up"}],"name":"up","offset":0,)"
       R"("range":60000,"smoothed":false,"startOrEnd":"end","timestamp":null,"type":"matrixSelector"}],)"
       R"("func":{"argTypes":["matrix"],"name":"rate","returnType":"vector","variadic":0},"type":"call"})"},
      {"query=topk%20without(a)(2%2C%20vector(1))",
       R"({"expr":{"args":[{"type":"numberLiteral","val":"1"}],"func":{"argTypes":["scalar"],"name":"vector",)"
       R"("returnType":"vector","variadic":0},"type":"call"},"grouping":["a"],"op":"topk",)"
       R"("param":{"type":"numberLiteral","val":"2"},"type":"aggregation","without":true})"},
      {"query=vector(1)%5B5m%3A1m%5D%20@%201.5",
       R"({"expr":{"args":[{"type":"numberLiteral","val":"1"}],"func":{"argTypes":["scalar"],"name":"vector",)"
       R"("returnType":"vector","variadic":0},"type":"call"},"offset":0,"range":300000,"startOrEnd":null,"step":60000,)"
       R"("timestamp":1500,"type":"subquery"})"},
      {"query=1%20%3E%20bool%202", R"({"bool":true,"lhs":{"type":"numberLiteral","val":"1"},"matching":null,"op":">",)"
                                   R"("rhs":{"type":"numberLiteral","val":"2"},"type":"binaryExpr"})"},
  };
  for (const auto& [form, tree] : trees) {
    EXPECT_EQ(Call(&QueryApi::ParseQuery, form).body, std::string(R"({"status":"success","data":)") + tree + "}");
  }
  const std::string join = Call(&QueryApi::ParseQuery, "query=a%20*%20on(x)%20group_left(y)%20b").body;
  EXPECT_NE(join.find(R"("matching":{"card":"many-to-one","fillValues":{"lhs":null,"rhs":null},"include":["y"],)"
                      R"("labels":["x"],"on":true})"),
            std::string::npos)
      << join;
  EXPECT_EQ(Call(&QueryApi::ParseQuery, "query=up%7B").status, 400);
  EXPECT_EQ(Call(&QueryApi::FormatQuery, "").status, 400);
}

TEST_F(ApiTest, WhatAStoreHasNoneOf) {
  EXPECT_EQ(Call(&QueryApi::QueryExemplars, "query=up&start=1&end=2").body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Call(&QueryApi::QueryExemplars, "query=up&start=2&end=1").body,
            R"({"status":"error","errorType":"bad_data","error":"end timestamp must not be before start timestamp"})");
  EXPECT_EQ(Call(&QueryApi::QueryExemplars, "query=up%7B").status, 400);
  EXPECT_EQ(api_.Targets().body,
            R"({"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}})");
  EXPECT_EQ(api_.TargetsMetadata().status, 404);
  EXPECT_EQ(api_.ScrapePools().body, R"({"status":"success","data":{"scrapePools":[]}})");
  EXPECT_EQ(api_.Alertmanagers().body,
            R"({"status":"success","data":{"activeAlertmanagers":[],"droppedAlertmanagers":[]}})");
  EXPECT_EQ(api_.Notifications().body, R"({"status":"success","data":[]})");
  EXPECT_EQ(api_.WalReplay().body, R"({"status":"success","data":{"min":0,"max":0,"current":0}})");
}

TEST_F(ApiTest, CardinalityIsCounted) {
  EXPECT_EQ(Call(&QueryApi::StatusTsdb, "").body,
            R"({"status":"success","data":{"headStats":{"numSeries":5,"numLabelPairs":7,"chunkCount":0,"minTime":0,)"
            R"("maxTime":0},"seriesCountByMetricName":[{"name":"cpu_user","value":2},{"name":"cpu_cores","value":1},)"
            R"({"name":"log_text","value":1},{"name":"up","value":1}],)"
            R"("labelValueCountByLabelName":[{"name":"__name__","value":4},{"name":"host","value":2},)"
            R"({"name":"job","value":1}],"memoryInBytesByLabelName":[{"name":"__name__","value":27},)"
            R"({"name":"job","value":3},{"name":"host","value":2}],)"
            R"("seriesCountByLabelValuePair":[{"name":"host=a","value":3},{"name":"__name__=cpu_user","value":2},)"
            R"({"name":"__name__=cpu_cores","value":1},{"name":"__name__=log_text","value":1},)"
            R"({"name":"__name__=up","value":1},{"name":"host=b","value":1},{"name":"job=\"x\"","value":1}]}})");
  EXPECT_NE(
      Call(&QueryApi::StatusTsdb, "limit=1").body.find(R"("seriesCountByMetricName":[{"name":"cpu_user","value":2}],)"),
      std::string::npos);
  for (const char* form : {"limit=0", "limit=x", "limit=-1", "limit=10001"}) {
    EXPECT_EQ(Call(&QueryApi::StatusTsdb, form).status, 400) << form;
  }
  EXPECT_NE(Call(&QueryApi::StatusTsdb, "db=other").body.find(R"("numSeries":0)"), std::string::npos);
}

TEST_F(ApiTest, SeriesAndLabelsOfATime) {
  // `up` has one row, now; the others begin 50 s before.
  const std::string before = "&start=1699999950&end=1699999999.999";
  EXPECT_EQ(Call(&QueryApi::Series, "match[]=up" + before).body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Call(&QueryApi::Series, "match[]=up&start=1700000000").body,
            R"({"status":"success","data":[{"__name__":"up","job":"\"x\""}]})");
  EXPECT_EQ(Call(&QueryApi::Labels, before).body, R"({"status":"success","data":["__name__","host"]})");
  EXPECT_EQ(Call(&QueryApi::Labels, "start=1700000001").body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Values("job", before).body, R"({"status":"success","data":[]})");
  EXPECT_EQ(Values("job", "end=1700000000").body, R"({"status":"success","data":["\"x\""]})");
  EXPECT_EQ(Values("host", "limit=1" + before).body,
            R"({"status":"success","data":["a"],"warnings":["results truncated due to limit"]})");
}

TEST_F(ApiTest, RelabelStepsOfNoScrapePool) {
  EXPECT_EQ(Call(&QueryApi::TargetsRelabelSteps, "labels={}").status, 400);
  EXPECT_EQ(Call(&QueryApi::TargetsRelabelSteps, "scrapePool=x").status, 400);
  EXPECT_NE(Call(&QueryApi::TargetsRelabelSteps, "scrapePool=x&labels={}").body.find("scrape pool not found: x"),
            std::string::npos);
}

TEST_F(ApiTest, StatusShowsTheSettings) {
  ApiOptions options;
  options.config_yaml = "data: \"x\"\n";
  options.flags = {{"data", "x"}, {"query.timeout", "2m"}};
  options.start_ns = kNow * 1'000'000'000;
  ASSERT_TRUE(store_.CreateDatabase("kept", {.retention_ns = 30 * storage::kNsPerDay}).ok());
  const QueryApi api = With(options);
  EXPECT_EQ(api.StatusConfig().body, R"({"status":"success","data":{"yaml":"data: \"x\"\n"}})");
  EXPECT_EQ(api.StatusFlags().body, R"({"status":"success","data":{"data":"x","query.timeout":"2m"}})");
  const text::Params none;
  const std::string info =
      api.StatusRuntimeInfo({.params = none, .database = "kept", .filter = storage::SeriesFilter::Everything()}).body;
  EXPECT_NE(info.find(R"("startTime":"2023-11-14T22:13:20Z")"), std::string::npos) << info;
  EXPECT_NE(info.find(R"("storageRetention":"30d")"), std::string::npos) << info;
  EXPECT_NE(api.Features().body.find(R"("rate":true)"), std::string::npos);
  EXPECT_NE(api.Features().body.find(R"("fill":true)"), std::string::npos);
}

TEST_F(ApiTest, FederatesTheNewestSamples) {
  const auto federate = [this](std::string_view form, std::string_view accept = "") {
    text::Params params;
    EXPECT_TRUE(text::ParseForm(form, &params).ok());
    return api_.Federate({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}, accept);
  };
  model::BatchBuilder rows;
  rows.Row("up", {{"instance", "i"}, {"text", "a\"b\\\nc"}}, model::Timestamp{(kNow - 10) * 1'000'000'000})
      .Field("value", 0.5);
  rows.Row("up", {{"job", "gone"}}, model::Timestamp{(kNow - 10) * 1'000'000'000})
      .Field("value", std::bit_cast<double>(uint64_t{0x7ff0000000000002}));
  rows.Row(
          "r\xC3\xBC"
          "ck.weg",
          {{"z b", "1"}}, model::Timestamp{kNow * 1'000'000'000})
      .Field("value", 2.0);
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  const Reply reply = federate("match[]=up&match[]=cpu_user&match[]=%7Bhost%3D%22b%22%7D");
  EXPECT_EQ(reply.content_type, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
  EXPECT_EQ(reply.body,
            "# TYPE cpu_user untyped\n"
            "cpu_user{host=\"a\",instance=\"\"} 6.5 1700000000000\n"
            "cpu_user{host=\"b\",instance=\"\"} 10 1700000000000\n"
            "# TYPE up untyped\n"
            "up{instance=\"i\",text=\"a\\\"b\\\\\\nc\"} 0.5 1699999990000\n"
            "up{job=\"\\\"x\\\"\",instance=\"\"} 1 1700000000000\n");
  EXPECT_EQ(federate("").body, "");
  EXPECT_EQ(federate("match[]=up%7B").status, 400);
  const char* const odd = "match[]=%7B%22r%C3%BCck.weg%22%7D";
  EXPECT_EQ(federate(odd).body, "# TYPE r_ck_weg untyped\nr_ck_weg{z_b=\"1\",instance=\"\"} 2 1700000000000\n");
  EXPECT_EQ(federate(odd, "text/plain;version=1.0.0;escaping=allow-utf-8").body,
            "# TYPE \"r\xC3\xBC"
            "ck.weg\" untyped\n{\"r\xC3\xBC"
            "ck.weg\",\"z b\"=\"1\",instance=\"\"} 2 1700000000000\n");
}

TEST_F(ApiTest, AFederatedPageHasEverySeriesAndEveryTypeOnce) {
  model::BatchBuilder rows;
  const auto at = [](int64_t seconds) { return model::Timestamp{seconds * 1'000'000'000}; };
  // Two spellings of one metric, the newer sample in the older one.
  rows.Row("mem_total", {{"host", "a"}}, at(kNow - 20)).Field("value", 2.0);
  rows.Row("mem", {{"host", "a"}}, at(kNow - 10)).Field("total", 1.0);
  // Metrics and labels that are told apart only by what is escaped.
  rows.Row("a.b", {{"x", "1"}}, at(kNow - 5)).Field("value", 3.0);
  rows.Row("a_b", {{"x", "1"}}, at(kNow - 6)).Field("value", 4.0);
  rows.Row("a-b", {{"x", "2"}, {"y.z", "3"}, {"y_z", "4"}}, at(kNow)).Field("value", 5.0);
  ASSERT_TRUE(store_.Write("default", rows.batch()).ok());
  text::Params params;
  ASSERT_TRUE(text::ParseForm("match[]=mem_total&match[]=%7B__name__%3D~%22a.b%7Cmem.*%22%7D", &params).ok());
  const auto federate = [&](std::string_view accept) {
    return api_.Federate({.params = params, .database = {}, .filter = storage::SeriesFilter::Everything()}, accept)
        .body;
  };
  EXPECT_EQ(federate(""),
            "# TYPE a_b untyped\n"
            "a_b{x=\"1\",instance=\"\"} 3 1699999995000\n"
            "a_b{x=\"2\",y_z=\"3\",y_z_=\"4\",instance=\"\"} 5 1700000000000\n"
            "# TYPE mem_total untyped\n"
            "mem_total{host=\"a\",instance=\"\"} 1 1699999990000\n");
  const std::string utf8 = federate("text/plain;version=1.0.0;escaping=allow-utf-8");
  EXPECT_NE(utf8.find("{\"a.b\",x=\"1\",instance=\"\"} 3 "), std::string::npos) << utf8;
  EXPECT_NE(utf8.find("a_b{x=\"1\",instance=\"\"} 4 "), std::string::npos) << utf8;
}

TEST_F(ApiTest, BuildInfoTellsGrafanaThatRulesCanBeEdited) {
  const std::string body = api_.BuildInfo().body;
  EXPECT_NE(body.find(R"("version":")"), std::string::npos);
  EXPECT_NE(body.find(R"("features":{"ruler_config_api":"true")"), std::string::npos) << body;
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

TEST_F(ApiTest, SeriesCountAgainstTheBudget) {
  ApiOptions options;
  const text::Params all = Form("match[]=%7B__name__%3D~%22.%2B%22%7D");
  options.budget.max_bytes = 100;
  const QueryApi tiny = With(options);
  EXPECT_EQ(tiny.Series({.params = all, .database = {}, .filter = storage::SeriesFilter::Everything()}).status, 422);
}

TEST_F(ApiTest, ManySelectorsOfTheSameSeriesGiveEachOnce) {
  const std::string one = Call(&QueryApi::Series, "match[]=cpu_user").body;
  EXPECT_EQ(Call(&QueryApi::Series,
                 "match[]=cpu_user&match[]=cpu_user&match[]=%7Bhost%3D%22a%22%2C__name__%3D%22cpu_user%22%7D")
                .body,
            one);
  const std::string events = Call(&QueryApi::Events, "match[]=log_text").body;
  EXPECT_EQ(Call(&QueryApi::Events, "match[]=log_text&match[]=log_text").body, events);
}

TEST_F(ApiTest, NumbersThatAreNone) {
  for (const char* step : {"NaN", "nan", "inf", "-inf", "1e300", "9.3e9"}) {
    EXPECT_EQ(Call(&QueryApi::QueryRange, std::string("query=cpu_user&start=1&end=2&step=") + step).status, 400)
        << step;
    EXPECT_EQ(Call(&QueryApi::Query, std::string("query=cpu_user&timeout=") + step).status, 400) << step;
  }
}

}  // namespace
}  // namespace tidemark::query::api
