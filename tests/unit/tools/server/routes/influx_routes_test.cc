// What clients of InfluxDB, 1.x and 2.x, ask and change.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/tools/server/routes/routes_fixture.h"

namespace tidemark::server {
namespace {

TEST_F(RoutesTest, WhatClientsOfInflux2AskFirst) {
  EXPECT_EQ(Get("/api/v2/ping").status, 204);
  clock_.Advance(90'000'000'000);
  EXPECT_EQ(Get("/ready").body, "{\"status\":\"ready\",\"started\":\"2023-11-14T22:13:20Z\",\"up\":\"1m30s\"}\n");
  EXPECT_EQ(Get("/api/v2/setup").body, "{\"allowed\":false}\n");
  const Response again = Post("/api/v2/setup", R"({"username":"me","org":"mine","bucket":"metrics"})");
  EXPECT_EQ(again.status, 422);
  EXPECT_NE(again.body.find("onboarding has already been completed"), std::string::npos);
  // What graphLink in the text of an alert leads to.
  EXPECT_EQ(Header(Get("/graph?g0.expr=up%20%3D%3D%200&g0.tab=1"), "Location"),
            "/dashboard?page=explore&q=up+%3D%3D+0&view=table");
  EXPECT_EQ(Header(Get("/db/app/graph?g0.expr=up"), "Location"), "/dashboard?page=explore&q=up&db=app");
}

TEST_F(RoutesTest, AMistypedDatabaseIsNotTheDefaultOne) {
  for (const char* target : {"/write?DB=x", "/write?Db=x", "/write?database=x", "/write?bucket=x"}) {
    const Response refused = Post(target, "m v=1");
    EXPECT_EQ(refused.status, 400) << target;
    EXPECT_NE(refused.body.find("the database is named by db=NAME"), std::string::npos) << refused.body;
  }
  EXPECT_NE(Post("/api/v1/write?DB=x", "").body.find("the database is named by db=NAME"), std::string::npos);
  for (const char* target : {"/write?db=x&Precision=s", "/write?db=x&RP=r", "/api/v2/write?bucket=x&Precision=s"}) {
    const Response refused = Post(target, "m v=1 1700000000");
    EXPECT_EQ(refused.status, 400) << target;
    EXPECT_NE(refused.body.find("it is written "), std::string::npos) << refused.body;
  }
  EXPECT_TRUE(store_.Databases().empty());
  EXPECT_EQ(Post("/write?db=x&DB=y&consistency=ALL", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?db=x&consistency=most", "m v=1").status, 400);
  EXPECT_EQ(Post("/write?db=x", "\xEF\xBB\xBFmarked v=1").status, 204);
  EXPECT_NE(Form("/query", "db=x&q=SHOW MEASUREMENTS").body.find(R"(["m"],["marked"])"), std::string::npos);
}

// As 1.6 has it, a GET changes something and is warned; but not where a page of another origin, or a name that leads
// here by DNS, may have sent it.
TEST_F(RoutesTest, AGetChangesOnlyWhatNoPageSent) {
  for (const http::HeaderField& header :
       {http::HeaderField{"Origin", "http://localhost:8086"},
        http::HeaderField{"Referer", "http://localhost:8086/dashboard"}, http::HeaderField{"Sec-Fetch-Site", "none"}}) {
    const Response refused = Send(Method::kGet, "/query?q=CREATE%20DATABASE%20x", "", {header});
    EXPECT_FALSE(store_.HasDatabase("x")) << header.name << refused.body;
  }
  const Response made = Get("/query?q=CREATE%20DATABASE%20x");
  EXPECT_TRUE(store_.HasDatabase("x"));
  EXPECT_NE(made.body.find(R"("messages":[{"level":"warning","text":"deprecated use of a GET)"), std::string::npos);
}

// What a client called its policy is what it writes by.
TEST_F(RoutesTest, APolicyGoesByTheNameThatItWasGiven) {
  const auto query = [this](std::string_view q) { return Form("/query", "q=" + std::string(q)).body; };
  const std::string done = "{\"results\":[{\"statement_id\":0}]}\n";
  EXPECT_EQ(query("CREATE DATABASE app WITH DURATION 14d REPLICATION 1 NAME two_weeks"), done);
  EXPECT_NE(query("SHOW RETENTION POLICIES ON app").find(R"(["two_weeks","336h0m0s","24h0m0s",1,true])"),
            std::string::npos);
  EXPECT_EQ(Post("/write?db=app&rp=two_weeks", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?db=app&rp=autogen", "m v=1").status, 204);
  EXPECT_EQ(Post("/api/v2/write?bucket=app/two_weeks", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?db=app&rp=nosuch", "m v=1").body, "{\"error\":\"retention policy not found: nosuch\"}\n");
  EXPECT_EQ(Post("/write?db=other&rp=two_weeks", "m v=1").status, 404);

  EXPECT_EQ(query("CREATE DATABASE app WITH DURATION 14d NAME two_weeks"), done);
  EXPECT_NE(query("CREATE DATABASE app WITH DURATION 14d NAME month").find("conflicts with an existing policy"),
            std::string::npos);
  EXPECT_EQ(query("ALTER RETENTION POLICY two_weeks ON app DURATION 15d"), done);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 15 * storage::kNsPerDay);
  EXPECT_NE(query("ALTER RETENTION POLICY month ON app DURATION 30d").find("retention policy not found: month"),
            std::string::npos);
  EXPECT_NE(
      query("CREATE RETENTION POLICY month ON app DURATION 30d REPLICATION 1").find(R"(one policy, \"two_weeks\")"),
      std::string::npos);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 15 * storage::kNsPerDay);
  EXPECT_EQ(query("CREATE RETENTION POLICY month ON app DURATION 30d REPLICATION 1 DEFAULT"), done);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 30 * storage::kNsPerDay);
  EXPECT_EQ(Post("/write?db=app&rp=month", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?db=app&rp=two_weeks", "m v=1").status, 404);

  // Its name goes with the database, whoever drops it.
  EXPECT_EQ(query("DROP DATABASE app"), done);
  EXPECT_EQ(query("CREATE DATABASE app"), done);
  EXPECT_EQ(Post("/write?db=app&rp=month", "m v=1").status, 404);
}

// Without db= it is that of the default database.
TEST_F(RoutesTest, APolicyOfTheDefaultDatabaseGoesByItsNameToo) {
  Form("/query", "q=CREATE DATABASE \"default\" WITH DURATION 14d REPLICATION 1 NAME two_weeks");
  EXPECT_EQ(Post("/write?rp=two_weeks", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?rp=autogen", "m v=1").status, 204);
  EXPECT_EQ(Post("/write?rp=nosuch", "m v=1").status, 404);
}

TEST_F(RoutesTest, InfluxQlListsSeriesAndDeletes) {
  const auto query = [this](std::string_view q) { return Form("/query", "db=mydb&q=" + std::string(q)).body; };
  const auto series = [](std::string_view json) {
    return R"({"results":[{"statement_id":0,"series":[)" + std::string(json) + "]}]}\n";
  };
  EXPECT_EQ(Post("/write?db=mydb", "cpu,host=a v=1,w=2\ncpu,host=b,dc=x v=1\nnew,host=a v=1").status, 204);
  EXPECT_EQ(query("SHOW SERIES"),
            series(R"({"columns":["key"],"values":[["cpu,dc=x,host=b"],["cpu,host=a"],["new,host=a"]]})"));
  EXPECT_EQ(query("SHOW SERIES FROM cpu WHERE host='b' OR dc='y'"),
            series(R"({"columns":["key"],"values":[["cpu,dc=x,host=b"]]})"));
  EXPECT_EQ(query("SHOW SERIES LIMIT 1 OFFSET 1"), series(R"({"columns":["key"],"values":[["cpu,host=a"]]})"));
  EXPECT_EQ(query("SHOW SERIES CARDINALITY"), series(R"({"columns":["cardinality estimation"],"values":[[3]]})"));
  EXPECT_EQ(
      query("SHOW SERIES EXACT CARDINALITY"),
      series(R"({"name":"cpu","columns":["count"],"values":[[2]]},{"name":"new","columns":["count"],"values":[[1]]})"));
  EXPECT_EQ(query("SHOW MEASUREMENT CARDINALITY"), series(R"({"columns":["cardinality estimation"],"values":[[2]]})"));
  EXPECT_EQ(query("SHOW MEASUREMENT EXACT CARDINALITY"), series(R"({"columns":["count"],"values":[[2]]})"));
  EXPECT_EQ(query("SHOW TAG KEY CARDINALITY FROM cpu"), series(R"({"name":"cpu","columns":["count"],"values":[[2]]})"));
  EXPECT_EQ(query("SHOW TAG VALUES CARDINALITY FROM cpu, new WITH KEY = host"),
            series(R"({"name":"cpu","columns":["count"],"values":[[2]]},)"
                   R"({"name":"new","columns":["count"],"values":[[1]]})"));
  EXPECT_EQ(query("SHOW TAG VALUES FROM cpu, new WITH KEY = host WHERE host = 'a' OR host = 'b'"),
            series(R"({"name":"cpu","columns":["key","value"],"values":[["host","a"],["host","b"]]},)"
                   R"({"name":"new","columns":["key","value"],"values":[["host","a"]]})"));
  EXPECT_EQ(query("SHOW MEASUREMENTS WHERE host=''"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(query("SHOW MEASUREMENTS WHERE dc='x'"),
            series(R"({"name":"measurements","columns":["name"],"values":[["cpu"]]})"));
  EXPECT_EQ(query("DELETE FROM cpu WHERE host = 'a' AND time < 10"), "{\"results\":[{\"statement_id\":0}]}\n");
  ASSERT_EQ(store_.deletes.size(), 1U);
  EXPECT_EQ(store_.deletes[0].range.last.ns, 9);
  ASSERT_EQ(store_.deletes[0].selectors.size(), 1U);
  EXPECT_EQ(store_.deletes[0].selectors[0],
            (std::vector<model::Matcher>{{model::MatchOp::kEqual, "host", "a"},
                                         {model::MatchOp::kRegex, "__name__", "cpu_v|cpu_w"}}));
  EXPECT_EQ(query("DROP MEASUREMENT nosuch"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(store_.deletes.size(), 1U);
}

// Two fields that spell one metric alike are two: what is dropped of one measurement stays of the other.
TEST_F(RoutesTest, ADeletionNamesFieldsWhereMetricsAreSpelledAlike) {
  ASSERT_EQ(Post("/write?db=d", "cpu,host=a user=1,sys=2\ncpu_user,host=b value=2\nmem,host=a free=1").status, 204);
  Form("/query", "db=d&q=DROP MEASUREMENT cpu_user");
  ASSERT_EQ(store_.deletes.size(), 1U);
  EXPECT_EQ(store_.deletes[0].fields, std::vector<std::string>{"value"});
  Form("/query", "db=d&q=DROP MEASUREMENT cpu");
  ASSERT_EQ(store_.deletes.size(), 2U);
  EXPECT_EQ(store_.deletes[1].fields, (std::vector<std::string>{"sys", "user"}));
  Form("/query", "db=d&q=DROP MEASUREMENT mem");
  EXPECT_TRUE(store_.deletes.back().fields.empty());
  EXPECT_EQ(Post("/api/v2/delete?bucket=d", R"({"start":"1970-01-01T00:00:00Z","stop":"2030-01-01T00:00:00Z",)"
                                            R"("predicate":"_measurement=cpu_user"})")
                .status,
            204);
  EXPECT_EQ(store_.deletes.back().fields, std::vector<std::string>{"value"});
  // All of both: nothing has to be told apart.
  Form("/query", "db=d&q=DELETE WHERE host='a'");
  EXPECT_TRUE(store_.deletes.back().fields.empty());
}

TEST_F(RoutesTest, InfluxQlChangesTheOnePolicy) {
  const auto query = [this](std::string_view q) { return Form("/query", "q=" + std::string(q)).body; };
  constexpr int64_t kDay = 86'400'000'000'000;
  query("CREATE DATABASE d WITH DURATION 7d SHARD DURATION 1h");
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 7 * kDay);
  EXPECT_EQ(store_.Databases()[0].options.partition_ns, kDay / 24);
  EXPECT_EQ(query("ALTER RETENTION POLICY autogen ON d DURATION 14d"), "{\"results\":[{\"statement_id\":0}]}\n");
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 14 * kDay);
  EXPECT_NE(query("ALTER RETENTION POLICY two ON d DURATION 1d").find("retention policy not found: two"),
            std::string::npos);
  EXPECT_NE(query("ALTER RETENTION POLICY autogen ON d DURATION 1m").find("must be at least 1h0m0s"),
            std::string::npos);
  EXPECT_NE(query("CREATE RETENTION POLICY two ON d DURATION 1d REPLICATION 1").find("a database has one policy"),
            std::string::npos);
  EXPECT_NE(query("CREATE RETENTION POLICY two ON nosuch DURATION 1d REPLICATION 1").find("database not found: nosuch"),
            std::string::npos);
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 14 * kDay);
}

}  // namespace
}  // namespace tidemark::server
