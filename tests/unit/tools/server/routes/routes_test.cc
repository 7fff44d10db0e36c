// The routes with their services over a store in memory: what clients are told, byte for byte where they match on it.
#include "tools/server/routes/routes.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <snappy.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "tests/unit/tools/server/routes/routes_fixture.h"
#include "tools/admin/acts.h"

namespace tidemark::server {
namespace {

TEST_F(RoutesTest, WritesAndReadsBack) {
  const Response written = Post("/write?db=d&precision=s", "cpu,host=a v=1.5 1700000000\n");
  EXPECT_EQ(written.status, 204);
  EXPECT_EQ(written.body, "");
  EXPECT_EQ(Header(written, "X-Influxdb-Version"), "1.8.10");
  EXPECT_FALSE(Header(written, "Request-Id").empty());
  EXPECT_EQ(Header(written, "Request-Id"), Header(written, "X-Request-Id"));
  const char* const want =
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"cpu_v","host":"a"},"value":[1700000000,"1.5"]}]}})";
  EXPECT_EQ(Get("/api/v1/query?query=cpu_v&db=d").body, want);
  EXPECT_EQ(Get("/db/d/api/v1/query?query=cpu_v").body, want);
  EXPECT_EQ(Form("/db/d/api/v1/query", "query=cpu_v").body, want);
}

TEST_F(RoutesTest, EchoesTheRequestId) {
  EXPECT_EQ(Header(Send(Method::kPost, "/write", "m v=1", {{"X-Request-Id", "mine"}}), "Request-Id"), "mine");
  EXPECT_EQ(Header(Send(Method::kGet, "/ping", "", {{"Request-Id", "two"}}), "X-Request-Id"), "two");
}

TEST_F(RoutesTest, WriteAnswersOfInflux1) {
  EXPECT_EQ(Post("/write?db=d", "").status, 200);
  EXPECT_EQ(Post("/write?db=d", "# only a comment\n\n").status, 204);
  const Response bad = Post("/write?db=d", "cpu v=\n");
  EXPECT_EQ(bad.status, 400);
  EXPECT_TRUE(bad.body.starts_with(R"({"error":"unable to parse 'cpu v=': missing field value")")) << bad.body;
  EXPECT_EQ(Header(bad, "X-Influxdb-Error"), "unable to parse 'cpu v=': missing field value");
  EXPECT_NE(bad.body.find(R"("data":[{"line_number":1,"column":)"), std::string::npos) << bad.body;
  const Response partial = Post("/write?db=d", "cpu v=1\ncpu v=\ncpu v=2\n");
  EXPECT_EQ(partial.status, 400);
  EXPECT_TRUE(partial.body.starts_with(
      R"({"error":"partial write: unable to parse 'cpu v=': missing field value dropped=1","data":[{"line_number":2,)"))
      << partial.body;
  store_.reject_with = MakeError(ErrorCode::kConflict, "field type conflict: x");
  const Response conflict = Post("/write?db=d", "ok v=1\nrejected,a=b v=2 7\nrejected v=3\n");
  EXPECT_EQ(conflict.status, 400);
  EXPECT_EQ(conflict.body,
            R"({"error":"partial write: field type conflict: x dropped=2","data":[)"
            R"({"line_number":2,"error_message":"field type conflict: x","original_line":"rejected,a=b v=2 7"},)"
            R"({"line_number":3,"error_message":"field type conflict: x","original_line":"rejected v=3"}]})"
            "\n");
}

TEST_F(RoutesTest, WriteParameters) {
  EXPECT_EQ(Post("/write?precision=year", "m v=1").status, 400);
  EXPECT_EQ(Post("/write?consistency=most", "m v=1").status, 400);
  EXPECT_EQ(Post("/write?consistency=quorum&rp=autogen&u=me&p=secret", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?rp=month", "m v=1").status, 404);
  EXPECT_EQ(Get("/write").status, 405);
  WriteService strict(&events_, &metadata_, &clock_, {.require_database = true});
  Request request;
  EXPECT_EQ(strict.Take(WriteEndpointAt("/write"), request).body, "{\"error\":\"database is required\"}\n");
}

TEST_F(RoutesTest, StoreErrorsBecomeCodes) {
  const std::pair<ErrorCode, int> cases[] = {{ErrorCode::kInvalidArgument, 400}, {ErrorCode::kNotFound, 404},
                                             {ErrorCode::kLimitExceeded, 413},   {ErrorCode::kResourceExhausted, 503},
                                             {ErrorCode::kUnavailable, 503},     {ErrorCode::kIo, 500}};
  for (const auto& [code, status] : cases) {
    store_.fail_with = MakeError(code, "why");
    const Response response = Post("/write", "m v=1");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, "{\"error\":\"why\"}\n");
    EXPECT_EQ(Header(response, "Retry-After"), status == 503 ? "1" : "");
  }
}

TEST_F(RoutesTest, WriteV2) {
  EXPECT_EQ(Send(Method::kPost, "/api/v2/write?org=o&bucket=b/autogen&precision=ms", "m v=1 1700000000000",
                 {{"Authorization", "Token me:secret"}})
                .status,
            204);
  EXPECT_TRUE(store_.HasDatabase("b"));
  const Response bad = Post("/api/v2/write?bucket=b", "m v=");
  EXPECT_EQ(bad.status, 400);
  EXPECT_TRUE(bad.body.starts_with(R"({"code":"invalid","message":"unable to parse 'm v=': )")) << bad.body;
  EXPECT_EQ(Post("/api/v2/write?bucket=b&precision=h", "m v=1").status, 400);
  const Response nowhere = Post("/api/v2/write?org=o", "m v=1");
  EXPECT_EQ(nowhere.status, 400);
  EXPECT_NE(nowhere.body.find("a bucket is required: bucket=NAME"), std::string::npos);
  EXPECT_EQ(Post("/api/v2/write?Bucket=b", "m v=1").status, 400);
  EXPECT_EQ(Post("/db/b/api/v2/write", "m v=1").status, 204);
}

TEST_F(RoutesTest, RemoteWrite) {
  // WriteRequest{timeseries:[{labels:[{__name__,up},{job,a}], samples:[{value:1,timestamp:1700000000000}]}]}
  const auto field = [](char tag, std::string_view bytes) {
    return std::string(1, tag) + static_cast<char>(bytes.size()) + std::string(bytes);
  };
  const auto label = [&field](std::string_view name, std::string_view value) {
    return field('\x0a', field('\x0a', name) + field('\x12', value));
  };
  std::string sample("\x09\0\0\0\0\0\0\xf0\x3f\x10", 10);
  for (uint64_t rest = 1'700'000'000'000; rest != 0; rest >>= 7) {
    sample += static_cast<char>((rest & 0x7F) | (rest > 0x7F ? 0x80 : 0));
  }
  const std::string message = field('\x0a', label("__name__", "up") + label("job", "a") + field('\x12', sample));
  std::string packed;
  snappy::Compress(message.data(), message.size(), &packed);
  const std::vector<http::HeaderField> headers = {{"Content-Type", "application/x-protobuf"},
                                                  {"Content-Encoding", "snappy"}};
  EXPECT_EQ(Send(Method::kPost, "/api/v1/write?db=p", packed, headers).status, 204);
  EXPECT_EQ(
      Get("/api/v1/query?query=up&db=p").body,
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1700000000,"1"]}]}})");
  EXPECT_EQ(Send(Method::kPost, "/api/v1/write", packed,
                 {{"Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
                  {"Content-Encoding", "snappy"}})
                .status,
            415);
  EXPECT_EQ(Send(Method::kPost, "/api/v1/write", "not snappy", headers).status, 400);
}

TEST_F(RoutesTest, PingAndHealth) {
  EXPECT_EQ(Get("/ping").status, 204);
  EXPECT_EQ(Get("/ping?verbose=true").body, "{\"version\":\"1.8.10\"}\n");
  EXPECT_EQ(Send(Method::kHead, "/ping").status, 204);
  EXPECT_NE(Get("/health").body.find(R"("status":"pass")"), std::string::npos);
  store_.stats.read_only = true;
  store_.stats.read_only_reason = "the disk is full";
  const Response sick = Get("/health");
  EXPECT_EQ(sick.status, 503);
  EXPECT_NE(sick.body.find("the disk is full"), std::string::npos);
  EXPECT_EQ(Get("/-/ready").status, 200);
  EXPECT_EQ(Get("/-/healthy").status, 200);
}

TEST_F(RoutesTest, InfluxQlAdministration) {
  const auto query = [this](std::string_view q) { return Form("/query", q).body; };
  EXPECT_EQ(query("q=CREATE DATABASE mydb"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(query("q=CREATE DATABASE mydb"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(query("q=SHOW DATABASES"),
            R"({"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["mydb"]]}]}]})"
            "\n");
  EXPECT_EQ(query("q=SHOW MEASUREMENTS&db=mydb"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(Post("/write?db=mydb", "b v=1\na v=1\na,t=1 w=2").status, 204);
  EXPECT_EQ(query("q=SHOW MEASUREMENTS LIMIT 1&db=mydb"),
            R"({"results":[{"statement_id":0,"series":[{"name":"measurements","columns":["name"],"values":[["a"]]}]}]})"
            "\n");
  EXPECT_EQ(
      query("q=SHOW RETENTION POLICIES ON mydb"),
      R"({"results":[{"statement_id":0,"series":[{"columns":["name","duration","shardGroupDuration","replicaN","default"],)"
      R"("values":[["autogen","0s","24h0m0s",1,true]]}]}]})"
      "\n");
  EXPECT_EQ(query("q=SHOW MEASUREMENTS ON nope"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_NE(query("q=SHOW TAG KEYS ON nope").find("database not found: nope"), std::string::npos);
  EXPECT_EQ(query("q=CREATE DATABASE mydb WITH DURATION 7d"),
            R"({"results":[{"statement_id":0,"error":"retention policy conflicts with an existing policy"}]})"
            "\n");
  EXPECT_NE(query("q=SELECT v FROM b&db=mydb").find("SELECT is not served here: ask in PromQL"), std::string::npos);
  EXPECT_EQ(query("q=SHOW USERS"), R"({"results":[{"statement_id":0,"series":[{"columns":["user","admin"]}]}]})"
                                   "\n");
  EXPECT_EQ(query("q=DROP DATABASE mydb; SHOW DATABASES"),
            R"({"results":[{"statement_id":0},{"statement_id":1,"series":[{"name":"databases","columns":["name"]}]}]})"
            "\n");
  EXPECT_EQ(Get("/query").status, 400);
  EXPECT_EQ(Get("/query?q=SELEKT").status, 400);
  EXPECT_EQ(Get("/query?q=SHOW%20DATABASES").status, 200);
}

TEST_F(RoutesTest, DeletesSeries) {
  Post("/write?db=default", "cpu v=1 1");
  const char* const target = "/api/v1/admin/tsdb/delete_series";
  EXPECT_EQ(Post(target, "").status, 400);
  EXPECT_EQ(Post(fmt::format("{}?match[]=up%7B", target), "").status, 400);
  EXPECT_EQ(Post(fmt::format("{}?match[]=up&start=2&end=1", target), "").status, 400);
  EXPECT_EQ(Get(fmt::format("{}?match[]=up", target)).status, 405);
  EXPECT_TRUE(store_.deletes.empty());
  const Response deleted =
      Send(Method::kPut, fmt::format("{}?match[]=up&match[]=%7Bjob%3D%22a%22%7D&start=1.5&end=2", target));
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.body, "");
  ASSERT_EQ(store_.deletes.size(), 1U);
  const storage::DeleteRequest& request = store_.deletes[0];
  ASSERT_EQ(request.selectors.size(), 2U);
  EXPECT_EQ(request.selectors[0], (std::vector<model::Matcher>{{model::MatchOp::kEqual, "__name__", "up"}}));
  EXPECT_EQ(request.selectors[1], (std::vector<model::Matcher>{{model::MatchOp::kEqual, "job", "a"}}));
  EXPECT_EQ(request.range.first.ns, 1'500'000'000);
  EXPECT_EQ(request.range.last.ns, 2'000'999'999);
  EXPECT_FALSE(request.dry_run);
  // Without times: everything.
  EXPECT_EQ(Form(target, "match[]=up").status, 204);
  EXPECT_EQ(store_.deletes.at(1).range, model::TimeRange{});
  EXPECT_EQ(Post("/db/nope/api/v1/admin/tsdb/delete_series?match[]=up", "").status, 404);
  EXPECT_EQ(Post("/api/v1/admin/tsdb/clean_tombstones", "").status, 204);
  EXPECT_EQ(Send(Method::kPut, "/api/v1/admin/tsdb/clean_tombstones").status, 204);
  EXPECT_EQ(Post("/db/nope/api/v1/admin/tsdb/clean_tombstones", "").status, 404);
}

TEST_F(RoutesTest, DeletesWithAReport) {
  Post("/write?db=d", "cpu v=1 1");
  EXPECT_EQ(
      Post("/api/v1/admin/delete?db=d&match[]=cpu_v&field=v&dry_run=1", "").body,
      R"({"status":"success","data":{"database":"d","dryRun":true,"deleted":{"series":2,"rows":20,"bytes":200}}})");
  EXPECT_TRUE(store_.deletes.at(0).dry_run);
  EXPECT_EQ(store_.deletes[0].fields, std::vector<std::string>{"v"});
  EXPECT_EQ(Post("/api/v1/admin/delete?db=d", "").status, 400);
}

TEST_F(RoutesTest, RetentionOfSelectorsBytesAndTiers) {
  Post("/write?db=d", "cpu v=1 1");
  const auto options = [&] { return store_.Databases().at(0).options; };
  const char* const target = "/api/v1/admin/retention";
  EXPECT_EQ(Post(fmt::format("{}?db=d&keep=1d&match[]=%7B__name__%3D~%22debug_.*%22%7D&dry_run=1", target), "").body,
            R"({"status":"success","data":{"database":"d","retentionSeconds":0,"maxBytes":0,)"
            R"("selectors":[{"match":"{__name__=~\"debug_.*\"}","keepSeconds":86400}],"tiers":[],"dryRun":true,)"
            R"("partitionsDropped":4,"partitionBytes":400,"partitionsReduced":0,"reducedBytes":0,)"
            R"("expired":{"rows":60,"inMemory":6,"bytes":600},"selected":{"series":5,"rows":50,"bytes":500},)"
            R"("goneBy":"1970-01-02T00:00:00Z"}})");
  EXPECT_TRUE(options().selectors.empty());
  EXPECT_EQ(Post(fmt::format("{}?db=d&keep=1d&match[]=%7B__name__%3D~%22debug_.*%22%7D", target), "").status, 200);
  EXPECT_EQ(Post(fmt::format("{}?db=d&keep=2d&match[]=%7B__name__%3D~%22debug_.*%22%7D", target), "").status, 200);
  ASSERT_EQ(options().selectors.size(), 1U);
  EXPECT_EQ(options().selectors[0].keep_ns, 2 * storage::kNsPerDay);
  EXPECT_EQ(Post(fmt::format("{}?db=d&max_bytes=2GiB", target), "").status, 200);
  EXPECT_EQ(options().max_bytes, uint64_t{2} << 30);
  EXPECT_EQ(options().selectors.size(), 1U);
  for (const char* bad : {"x", "5X", "-1", "5Gi", "99999999999999GB", ""}) {
    EXPECT_EQ(Post(fmt::format("{}?db=d&max_bytes={}", target, bad), "").status, 400) << bad;
  }
  EXPECT_EQ(Post(fmt::format("{}?db=d&keep=inf&match[]=%7B__name__%3D~%22debug_.*%22%7D", target), "").status, 200);
  EXPECT_TRUE(options().selectors.empty());

  EXPECT_EQ(Post("/api/v1/admin/rollup?db=d&tier=1h:5y&tier=5m:90d", "").status, 200);
  EXPECT_EQ(Get("/api/v1/admin/retention?db=d").body,
            R"({"status":"success","data":{"database":"d","retentionSeconds":0,"maxBytes":2147483648,"selectors":[],)"
            R"("tiers":[{"widthSeconds":300,"keepSeconds":7776000},{"widthSeconds":3600,"keepSeconds":157680000}]}})");
  for (const char* bad : {"5m", "x:1d", "5m:x", ":"}) {
    EXPECT_EQ(Post(fmt::format("/api/v1/admin/rollup?db=d&tier={}", bad), "").status, 400) << bad;
  }
  EXPECT_NE(Post("/api/v1/admin/rollup?db=d&tier=none&dry_run=1", "").body.find(R"("partitionsDropped":4)"),
            std::string::npos);
  EXPECT_EQ(options().tiers.size(), 2U);
  EXPECT_EQ(Post("/api/v1/admin/rollup?db=d&tier=none", "").status, 200);
  EXPECT_TRUE(options().tiers.empty());
  EXPECT_EQ(Get("/api/v1/admin/retention?db=nope").status, 404);
}

TEST_F(RoutesTest, Administration) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  EXPECT_EQ(
      Post("/api/v1/admin/retention?db=d&keep=30d", "").body,
      R"({"status":"success","data":{"database":"d","retentionSeconds":2592000,"maxBytes":0,"selectors":[],"tiers":[],)"
      R"("dryRun":false,"partitionsDropped":3,"partitionBytes":400,"partitionsReduced":0,"reducedBytes":0,)"
      R"("expired":{"rows":60,"inMemory":6,"bytes":600},"selected":{"series":5,"rows":50,"bytes":500},)"
      R"("goneBy":"1970-01-02T00:00:00Z"}})");
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 30 * storage::kNsPerDay);
  EXPECT_EQ(Post("/api/v1/admin/retention?db=d&keep=inf", "").status, 200);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 0);
  EXPECT_EQ(Post("/api/v1/admin/retention?db=d&keep=soon", "").status, 400);
  EXPECT_EQ(Post("/api/v1/admin/retention?db=d", "").status, 400);
  EXPECT_EQ(Post("/api/v1/admin/retention?db=nope&keep=1d", "").status, 404);
  EXPECT_EQ(Post("/api/v1/admin/checkpoint", "").status, 200);
  EXPECT_EQ(Get("/api/v1/admin/checkpoint").status, 405);
  EXPECT_NE(Get("/api/v1/admin/databases").body.find(R"("database":"d")"), std::string::npos);
  EXPECT_EQ(Get("/api/v1/admin/partitions?db=d").status, 200);
  EXPECT_EQ(Get("/api/v1/admin/partitions?db=nope").status, 404);
  EXPECT_EQ(Post("/api/v1/admin/compact?db=nope", "").status, 404);
  Response compact = Post("/api/v1/admin/compact?db=d", "");
  ASSERT_TRUE(compact.produce);
  const auto stream = std::make_shared<KeptStream>();
  compact.produce(stream);
  EXPECT_TRUE(stream->finished);
  EXPECT_TRUE(stream->text.ends_with("\"done\":true}\n")) << stream->text;
}

// What is shown of a rule can be given back: names beyond the classic ones stand in quotes.
TEST_F(RoutesTest, SelectorsOfARetentionAreShownSoThatTheyParse) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  const Response set =
      Form("/api/v1/admin/retention", R"(db=d&keep=1d&match[]={"mañana.load","host.name"="a\"b",dc=~"x.*"})");
  ASSERT_EQ(set.status, 200) << set.body;
  const std::string shown = Get("/api/v1/admin/retention?db=d").body;
  EXPECT_NE(shown.find(R"("match":"{__name__=\"mañana.load\",\"host.name\"=\"a\\\"b\",dc=~\"x.*\"}")"),
            std::string::npos)
      << shown;
}

// A retention that was set is in force, so it was not a failure that its first round of dropping met the disk.
TEST_F(RoutesTest, ARetentionThatIsInForceIsNotAnsweredWithAnError) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  store_.apply_fails_with.message = "the disk";
  const Response reply = Post("/api/v1/admin/retention?db=d&keep=30d", "");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 30 * storage::kNsPerDay);
  EXPECT_NE(reply.body.find(R"("warnings":["the retention is in force)"), std::string::npos) << reply.body;
  EXPECT_NE(reply.body.find("the disk"), std::string::npos) << reply.body;
}

// Of two that change different options of a database at once neither undoes the other: one is done after the other.
TEST_F(RoutesTest, ChangesOfOptionsComeOneAfterTheOther) {
  ASSERT_EQ(Post("/write?db=d", "m v=1").status, 204);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  store_.on_plan = [&] {
    const int now = ++inside;
    if (now > most) most = now;
    for (int i = 0; i < 2000 && inside == 1; ++i) std::this_thread::yield();
    --inside;
  };
  {
    const std::jthread keep([this] { EXPECT_EQ(Post("/api/v1/admin/retention?db=d&keep=30d", "").status, 200); });
    const std::jthread bytes([this] { EXPECT_EQ(Post("/api/v1/admin/retention?db=d&max_bytes=1GB", "").status, 200); });
  }
  EXPECT_EQ(most, 1);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 30 * storage::kNsPerDay);
  EXPECT_EQ(store_.Databases()[0].options.max_bytes, 1'000'000'000U);
}

// The rows of tools/admin/acts.cc are what the server does, and what its replies hold.
TEST_F(RoutesTest, EveryActAnswersWithTheKeysOfItsRow) {
  ASSERT_EQ(Post("/write?db=d", "m v=1\nm v=").status, 400);
  const std::map<std::string_view, std::string_view> parameters = {
      {"retention set", "&keep=30d"},           {"rollup set", "&tier=5m:90d"},
      {"types set", "&conflicts=widen"},        {"delete", "&match[]=m_v"},
      {"tsdb delete_series", "&match[]=m_v"},   {"rename database", "&from=d&to=e&dry_run=1"},
      {"field drop", "&measurement=m&field=v"}, {"jobs follow", "&id=1"}};
  for (const admin::Act& act : admin::Acts()) {
    // Those about tokens have a test beside their service; those about backups need a store that can be copied
    // (tests/integration/test_backup.py).
    if (act.method == admin::Method::kNone || admin::HandlerOf<access::AccessService>(act.name) != nullptr ||
        admin::HandlerOf<audit::AuditService>(act.name) != nullptr ||
        admin::HandlerOf<backup::BackupService>(act.name) != nullptr || act.name == "backup create" ||
        act.name == "jobs pause" || act.name == "jobs resume" || act.name == "jobs cancel" ||
        // The store of this test has nothing on disk (tests/integration/test_admin_jobs.py).
        act.name == "partitions" ||
        // Those of a process, and of quotas, have tests of their own.
        admin::HandlerOf<RestartService>(act.name) != nullptr ||
        admin::HandlerOf<quota::QuotaService>(act.name) != nullptr) {
      continue;
    }
    const auto more = parameters.find(act.name);
    const std::string target =
        fmt::format("{}?db=d{}", act.path, more == parameters.end() ? std::string_view() : more->second);
    Response response = act.method == admin::Method::kGet ? Get(target) : Post(target, "");
    EXPECT_EQ(response.status, act.reply == admin::Reply::kNone ? 204 : 200) << act.name << ": " << response.body;
    std::string body = response.body;
    if (response.produce) {
      const auto stream = std::make_shared<KeptStream>();
      response.produce(stream);
      body = stream->text;
    }
    switch (act.reply) {
      case admin::Reply::kNone: EXPECT_EQ(body, "") << act.name; break;
      case admin::Reply::kObject: EXPECT_TRUE(body.starts_with(R"({"status":"success","data":{)")) << body; break;
      case admin::Reply::kList: EXPECT_TRUE(body.starts_with(R"({"status":"success","data":[{)")) << body; break;
      case admin::Reply::kProgress: EXPECT_TRUE(body.ends_with("\"done\":true}\n")) << body; break;
    }
    std::istringstream keys{std::string(act.keys)};
    for (std::string key; keys >> key;) {
      EXPECT_NE(body.find(fmt::format("\"{}\":", key)), std::string::npos) << act.name << ": " << key << " in " << body;
    }
  }
}

TEST_F(RoutesTest, FollowsEvents) {
  Response lines = Get("/api/v1/events?follow=1&match[]=log_text");
  EXPECT_EQ(lines.content_type, "application/x-ndjson");
  Response sse = Send(Method::kGet, "/api/v1/events?follow=1", "", {{"Accept", "text/event-stream"}});
  EXPECT_EQ(sse.content_type, "text/event-stream");
  const auto line_stream = std::make_shared<KeptStream>();
  const auto sse_stream = std::make_shared<KeptStream>();
  lines.produce(line_stream);
  sse.produce(sse_stream);
  EXPECT_EQ(Post("/write", "log,host=a text=\"hi\",n=1 1\nother text=\"no\" 2").status, 204);
  EXPECT_EQ(line_stream->text, R"({"time":0,"time_ns":"1","labels":{"__name__":"log_text","host":"a"},"text":"hi"})"
                               "\n");
  EXPECT_NE(sse_stream->text.find("data: {\"time\":0,\"time_ns\":\"2\""), std::string::npos) << sse_stream->text;
  EXPECT_EQ(Get("/api/v1/events?follow=1&match[]=%7B").status, 400);
}

TEST_F(RoutesTest, PagesAndUnknownPaths) {
  EXPECT_EQ(Header(Get("/"), "Location"), "/dashboard");
  const Response page = Get("/dashboard");
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.body.ends_with("</html>\n"));
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
  EXPECT_EQ(Get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
  const Response unknown = Get("/api/v1/rules/test/test");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, "404 page not found\n");
}

TEST_F(RoutesTest, EveryRouteThatChangesSomethingRefusesForeignPages) {
  size_t checked = 0;
  for (const http::Route& route : router_.routes()) {
    if (route.access != http::Access::kWrite && route.access != http::Access::kAdmin) {
      // What only reads must not be able to change: POST is for forms, for the one question that is protobuf, for
      // many questions in JSON, and for the set-up and the queries of InfluxDB 2, which are always refused.
      const bool posts = std::find(route.methods.begin(), route.methods.end(), Method::kPost) != route.methods.end();
      EXPECT_TRUE(!posts || route.form || route.pattern == "/api/v1/read" || route.pattern == "/api/v1/query_batch" ||
                  route.pattern == "/api/v2/setup" || route.pattern.starts_with("/api/v2/query"))
          << route.pattern;
      continue;
    }
    ++checked;
    const Response response = Send(route.methods.front(), route.pattern, "", {{"Origin", "https://evil.example"}});
    EXPECT_EQ(response.status, 403) << route.pattern;
  }
  EXPECT_GE(checked, 7U);
}

TEST_F(RoutesTest, ABadEscapeIsRefusedInTheProtocolsWords) {
  const Response query = Get("/api/v1/query?query=%zz");
  EXPECT_EQ(query.status, 400);
  EXPECT_TRUE(query.body.starts_with(R"({"status":"error","errorType":"bad_data")")) << query.body;
  EXPECT_TRUE(Post("/write?db=%zz", "m v=1").body.starts_with(R"({"error":)"));
}

TEST_F(RoutesTest, ADatabaseIsMadeOnlyWithANameThatCanBeWrittenTo) {
  for (const char* name : {"..", ".", "a%5C%5Cb", "a%2Fb"}) {
    const Response made = Form("/query", std::string("q=CREATE%20DATABASE%20%22") + name + "%22");
    EXPECT_NE(made.body.find("not allowed"), std::string::npos) << name << ": " << made.body;
  }
  EXPECT_TRUE(store_.Databases().empty());
}

TEST_F(RoutesTest, StatementsOfOneRequestAreLimited) {
  std::string query = "q=SHOW%20DATABASES";
  for (int i = 0; i < 999; ++i) query += ";SHOW%20DATABASES";
  EXPECT_EQ(Form("/query", query).status, 200);
  EXPECT_EQ(Form("/query", query + ";SHOW%20DATABASES").status, 400);
}

TEST_F(RoutesTest, ABatchThatIsTooLargeBesideOthersIsRefusedAndTakenAlone) {
  WriteService* service = nullptr;
  int nested_status = 0;
  // A store in whose Write a second request comes.
  class Nested final : public model::PointSink {
   public:
    std::function<void()> then;
    Result<model::WriteReport> Write(std::string_view, const model::Batch&) override {
      if (then) std::exchange(then, nullptr)();
      return model::WriteReport();
    }
  } sink;
  WriteService small(&sink, &metadata_, &clock_, {.parse_memory_bytes = 100});
  service = &small;
  const auto send = [&service] {
    Request request;
    constexpr std::string_view kLine = "measurement,tag=value field=1";
    request.body.Reserve(kLine.size());
    std::copy(kLine.begin(), kLine.end(), request.body.data());
    request.body.SetSize(kLine.size());
    return service->Take(WriteEndpointAt("/write"), request);
  };
  std::string retry_after;
  sink.then = [&] {
    const Response second = send();
    nested_status = second.status;
    retry_after = Header(second, "Retry-After");
  };
  EXPECT_EQ(send().status, 204);
  EXPECT_EQ(nested_status, 503);
  EXPECT_EQ(retry_after, "1");
  EXPECT_EQ(send().status, 204);
}

}  // namespace
}  // namespace tidemark::server
