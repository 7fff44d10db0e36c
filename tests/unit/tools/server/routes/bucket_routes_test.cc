// Buckets, organizations and deletions, as clients of InfluxDB 2 ask for them.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/text/json_string.h"
#include "storage/base/text/params.h"
#include "tests/unit/tools/server/routes/routes_fixture.h"

namespace tidemark::server {
namespace {

constexpr std::string_view kHourly = R"({"orgID":"7469646d61726b21","name":"metrics",)"
                                     R"("retentionRules":[{"type":"expire","everySeconds":3600}]})";

// Of a caller with these rights to the databases whose names begin with "team".
class TeamCaller final : public http::Caller {
 public:
  explicit TeamCaller(std::vector<http::Access> rights) : rights_(std::move(rights)) {}
  [[nodiscard]] std::string_view name() const override { return "team"; }
  [[nodiscard]] bool May(http::Access access, std::string_view database) const override {
    return database.starts_with("team") && MaySomewhere(access);
  }
  [[nodiscard]] bool MayEverywhere(http::Access /*access*/) const override { return false; }
  [[nodiscard]] bool MaySomewhere(http::Access access) const override {
    return access == http::Access::kAny || std::ranges::find(rights_, access) != rights_.end();
  }
  [[nodiscard]] const storage::SeriesFilter* filter() const override { return nullptr; }
  [[nodiscard]] quota::Account* account() const override { return nullptr; }
  [[nodiscard]] bool revoked() const override { return false; }

 private:
  const std::vector<http::Access> rights_;
};

class BucketRoutesTest : public RoutesTest {
 protected:
  Response Delete(std::string_view target) { return Send(Method::kDelete, target); }
  std::string IdOf(std::string_view name) {
    const std::string body = Get("/api/v2/buckets?name=" + std::string(name)).body;
    const size_t at = body.find(R"("id":")");
    return at == std::string::npos ? "" : body.substr(at + 6, 16);
  }
  // The rows of `/api/v2/delete` that reached the store.
  const storage::DeleteRequest& Last() const { return store_.deletes.back(); }
  Response DeleteWhere(std::string_view predicate, std::string_view target = "/api/v2/delete?bucket=app") {
    std::string quoted;
    text::AppendJsonString(&quoted, predicate);
    return Post(target,
                R"({"start":"1970-01-01T00:00:00Z","stop":"2023-11-14T22:13:20.5Z","predicate":)" + quoted + "}");
  }
};

TEST_F(BucketRoutesTest, AreMadeFoundAndDropped) {
  EXPECT_NE(Get("/api/v2/buckets").body.find(R"("buckets":[]})"), std::string::npos);
  const Response made = Post("/api/v2/buckets", kHourly);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find(R"("name":"metrics","retentionRules":[{"type":"expire","everySeconds":3600,)"),
            std::string::npos)
      << made.body;
  ASSERT_TRUE(store_.HasDatabase("metrics"));
  EXPECT_EQ(store_.Databases()[0].options.retention_ns, 3'600'000'000'000);
  const std::string id = IdOf("metrics");
  EXPECT_EQ(id.size(), 16U);
  EXPECT_EQ(Get("/api/v2/buckets/" + id).body, made.body);
  EXPECT_NE(Get("/api/v2/buckets?id=" + id).body.find(R"("name":"metrics")"), std::string::npos);

  const Response again = Post("/api/v2/buckets", kHourly);
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.body,
            "{\"code\":\"conflict\",\"message\":\"bucket with name metrics already exists\","
            "\"error\":\"bucket with name metrics already exists\"}\n");

  EXPECT_EQ(Delete("/api/v2/buckets/" + id).status, 204);
  EXPECT_FALSE(store_.HasDatabase("metrics"));
  EXPECT_EQ(Delete("/api/v2/buckets/" + id).status, 404);
  EXPECT_EQ(Send(Method::kPatch, "/api/v2/buckets/" + id, "{}").status, 404);
}

TEST_F(BucketRoutesTest, ChangeWhatTheyKeep) {
  Post("/api/v2/buckets", kHourly);
  const std::string target = "/api/v2/buckets/" + IdOf("metrics");
  const auto options = [&] { return store_.Databases().at(0).options; };
  const Response changed =
      Send(Method::kPatch, target,
           R"({"retentionRules":[{"type":"expire","everySeconds":86400,"shardGroupDurationSeconds":7200}]})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_NE(changed.body.find(R"("everySeconds":86400,"shardGroupDurationSeconds":7200)"), std::string::npos)
      << changed.body;
  EXPECT_EQ(options().retention_ns, 86'400'000'000'000);
  EXPECT_EQ(options().partition_ns, 7'200'000'000'000);
  // What clients send back of the whole bucket, with something else changed, and what says nothing.
  EXPECT_EQ(Send(Method::kPatch, target, Get(target).body).status, 200);
  EXPECT_EQ(Send(Method::kPatch, target, R"({"description":"x"})").status, 200);
  EXPECT_EQ(Send(Method::kPatch, target, R"({"retentionRules":[]})").status, 200);
  EXPECT_EQ(options().retention_ns, 86'400'000'000'000);
  EXPECT_EQ(Send(Method::kPatch, target, R"({"retentionRules":[{"type":"expire","everySeconds":0}]})").status, 200);
  EXPECT_EQ(options().retention_ns, 0) << "for ever";
  EXPECT_EQ(options().partition_ns, 7'200'000'000'000);

  const Response renamed = Send(Method::kPatch, target, R"({"name":"other"})");
  EXPECT_EQ(renamed.status, 422);
  EXPECT_NE(renamed.body.find("cannot be renamed"), std::string::npos) << renamed.body;
  for (const char* bad : {"", "[]", R"({"name":1})", R"({"retentionRules":{}})", R"({"retentionRules":[1]})",
                          R"({"retentionRules":[{"everySeconds":"x"}]})"}) {
    EXPECT_EQ(Send(Method::kPatch, target, bad).status, 400) << bad;
  }
  EXPECT_EQ(Send(Method::kPatch, target, R"({"retentionRules":[{"everySeconds":-1}]})").status, 422);
  EXPECT_EQ(Send(Method::kPatch, "/api/v2/buckets/0000000000000001", "{}").status, 404);
}

// What is known and not served says what is, in the words that clients of InfluxDB 2 read.
TEST_F(BucketRoutesTest, FluxIsRefusedWithWhatToAskInstead) {
  for (const char* target : {"/api/v2/query?org=x", "/api/v2/query/ast", "/api/v2/query/analyze"}) {
    const Response refused = Post(target, R"x({"query":"buckets()"})x");
    EXPECT_EQ(refused.status, 422) << target;
    EXPECT_NE(refused.body.find(R"({"code":"unprocessable entity","message":"Flux is not served here)"),
              std::string::npos)
        << refused.body;
  }
  EXPECT_EQ(Get("/api/v2/query/suggestions").status, 422);
  const Response me = Get("/api/v2/me");
  EXPECT_EQ(me.status, 200);
  EXPECT_NE(me.body.find(R"("status":"active")"), std::string::npos) << me.body;
}

TEST_F(BucketRoutesTest, OneThatIsNotThereIsAnErrorWhereItIsNamedCompletely) {
  EXPECT_EQ(Get("/api/v2/buckets?name=nosuch").status, 200);
  const Response absent = Get("/api/v2/buckets?name=nosuch&org=mine");
  EXPECT_EQ(absent.status, 404);
  EXPECT_NE(absent.body.find(R"("code":"not found","message":"bucket \"nosuch\" not found")"), std::string::npos)
      << absent.body;
  EXPECT_EQ(Get("/api/v2/buckets/0000000000000001").status, 404);
  EXPECT_EQ(Get("/api/v2/buckets?orgID=0000000000000001").status, 404);
}

TEST_F(BucketRoutesTest, AreListedByPages) {
  for (const char* name : {"c", "a", "e", "b", "d"}) ASSERT_TRUE(store_.CreateDatabase(name, {}).ok());
  const auto names = [this](const std::string& query) {
    const std::string body = Get("/api/v2/buckets?" + query).body;
    std::string out;
    for (size_t at = 0; (at = body.find(R"("name":")", at)) != std::string::npos; ++at) out += body[at + 8];
    return out;
  };
  EXPECT_EQ(names(""), "abcde");
  EXPECT_EQ(names("limit=2"), "ab");
  EXPECT_EQ(names("limit=2&offset=4"), "e");
  EXPECT_EQ(names("descending=true&limit=3"), "edc");
  EXPECT_EQ(names("limit=2&after=" + IdOf("b")), "cd");
  EXPECT_NE(Get("/api/v2/buckets?limit=2&offset=2")
                .body.find(R"("links":{"self":"/api/v2/buckets?descending=false&limit=2&offset=2",)"
                           R"("prev":"/api/v2/buckets?descending=false&limit=2&offset=0",)"
                           R"("next":"/api/v2/buckets?descending=false&limit=2&offset=4"})"),
            std::string::npos);
  EXPECT_EQ(Get("/api/v2/buckets?limit=101").status, 422);
  EXPECT_EQ(Get("/api/v2/buckets?limit=0").status, 422);
  EXPECT_EQ(Get("/api/v2/buckets?offset=-1").status, 400);
}

TEST_F(BucketRoutesTest, BadOnesAreRefusedWithTheReason) {
  const auto refused = [this](std::string_view body, int status, std::string_view reason) {
    const Response response = Post("/api/v2/buckets", body);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_NE(response.body.find(reason), std::string::npos) << response.body;
  };
  refused("{", 400, "the body is no JSON");
  refused("[]", 400, "must be a JSON object");
  refused("{}", 400, R"(\"name\" must be text)");
  refused(R"({"name":""})", 400, "a database name is empty");
  refused(R"({"name":"a/b"})", 400, "are not allowed");
  refused(R"({"name":"a","retentionRules":[{},{}]})", 422, "more than one retention rule");
  refused(R"({"name":"a","retentionRules":[{"everySeconds":-1}]})", 422, "expiration seconds cannot be negative");
  refused(R"({"name":"a","retentionRules":[{"everySeconds":1.5}]})", 400, "whole number of seconds");
  EXPECT_TRUE(store_.Databases().empty());
  // No rule: for ever, whatever new databases get; a length of 0: the server's choice.
  EXPECT_EQ(Post("/api/v2/buckets", R"({"name":"a","retentionRules":[{"shardGroupDurationSeconds":0}]})").status, 201);
  EXPECT_EQ(store_.Databases()[0].options.partition_ns, storage::DatabaseOptions().partition_ns);
}

TEST_F(BucketRoutesTest, TheOneOrganizationGoesByAnyName) {
  EXPECT_NE(Get("/api/v2/orgs").body.find(R"("name":"tidemark"}]})"), std::string::npos);
  const std::string mine = Get("/api/v2/orgs?org=my%20org").body;
  EXPECT_NE(mine.find(R"("id":"7469646d61726b21","name":"my org"}]})"), std::string::npos) << mine;
  EXPECT_EQ(Get("/api/v2/orgs/7469646d61726b21").status, 200);
  EXPECT_EQ(Get("/api/v2/orgs/0000000000000001").status, 404);
  EXPECT_EQ(Get("/api/v2/orgs?orgID=0000000000000001").status, 404);
}

TEST_F(BucketRoutesTest, PointsAreDeletedByAPredicate) {
  ASSERT_EQ(Post("/write?db=app", "cpu,host=a user=1,sys=2\nmem,host=a free=1").status, 204);
  using model::MatchOp;
  const model::Matcher host{MatchOp::kEqual, "host", "a"};
  const Response deleted = DeleteWhere(R"(_measurement="cpu" AND host="a")");
  EXPECT_EQ(deleted.status, 204) << deleted.body;
  EXPECT_TRUE(deleted.body.empty());
  EXPECT_EQ(Last().range.first.ns, 0);
  EXPECT_EQ(Last().range.last.ns, 1'700'000'000'500'000'000);
  EXPECT_EQ(Last().selectors,
            (std::vector<std::vector<model::Matcher>>{{host, {MatchOp::kRegex, "__name__", "cpu_sys|cpu_user"}}}));
  EXPECT_EQ(DeleteWhere(R"(_field="user" and (host='a' or host!=b))").status, 204);
  EXPECT_EQ(Last().selectors, (std::vector<std::vector<model::Matcher>>{
                                  {host, {MatchOp::kRegex, "__name__", "cpu_user"}},
                                  {{MatchOp::kNotEqual, "host", "b"}, {MatchOp::kRegex, "__name__", "cpu_user"}}}));
  // Without a predicate, all that is in the range.
  EXPECT_EQ(Post("/api/v2/delete?bucket=app&org=x", R"({"start":"1970-01-01T00:00:00Z","stop":"2262-04-11T23:47:16Z"})")
                .status,
            204);
  EXPECT_EQ(Last().selectors,
            (std::vector<std::vector<model::Matcher>>{{{MatchOp::kRegex, "__name__", "cpu_sys|cpu_user|mem_free"}}}));
  EXPECT_EQ(DeleteWhere("host=a", "/api/v2/delete?bucketID=" + IdOf("app")).status, 204);
  EXPECT_EQ(store_.deletes.size(), 4U);
  // What no series can be is deleted without the store.
  EXPECT_EQ(DeleteWhere(R"(_measurement="nosuch")").status, 204);
  EXPECT_EQ(store_.deletes.size(), 4U);
}

TEST_F(BucketRoutesTest, DeletionsThatAreNotUnderstoodDeleteNothing) {
  ASSERT_EQ(Post("/write?db=app", "cpu,host=a user=1").status, 204);
  const auto refused = [this](std::string_view target, std::string_view body, int status, std::string_view reason) {
    const Response response = Post(target, body);
    EXPECT_EQ(response.status, status) << body;
    EXPECT_NE(response.body.find(reason), std::string::npos) << response.body;
  };
  constexpr std::string_view kAll = R"({"start":"1970-01-01T00:00:00Z","stop":"2030-01-01T00:00:00Z"})";
  refused("/api/v2/delete", kAll, 400, "Please provide either bucketID or bucket");
  refused("/api/v2/delete?bucket=nosuch", kAll, 404, R"(bucket \"nosuch\" not found)");
  refused("/api/v2/delete?bucketID=0000000000000001", kAll, 404, "bucket not found");
  refused("/api/v2/delete?bucket=app", R"({"stop":"2030-01-01T00:00:00Z"})", 400, "for field start");
  refused("/api/v2/delete?bucket=app", R"({"start":"2030-01-01","stop":"2030-01-01T00:00:00Z"})", 400,
          "for field start");
  EXPECT_EQ(
      DeleteWhere("host").body,
      R"({"code":"invalid","message":"invalid request; the predicate: error parsing query: found EOF, expected =, !=, =~, !~ at line 1, char 6","error":"invalid request; the predicate: error parsing query: found EOF, expected =, !=, =~, !~ at line 1, char 6"})"
      "\n");
  EXPECT_EQ(DeleteWhere("host=a b").status, 400);
  EXPECT_EQ(DeleteWhere("(host=a").status, 400);
  EXPECT_TRUE(store_.deletes.empty());
}

// What a caller may neither read nor write is not there for him.
TEST_F(BucketRoutesTest, FollowTheRights) {
  ASSERT_EQ(Post("/write?db=team1", "cpu v=1").status, 204);
  ASSERT_EQ(Post("/write?db=secret", "cpu v=1").status, 204);
  Request request;
  request.caller = std::make_shared<TeamCaller>(std::vector<http::Access>{http::Access::kWrite});
  const std::string listed = buckets_.List(request).body;
  EXPECT_NE(listed.find("team1"), std::string::npos);
  EXPECT_EQ(listed.find("secret"), std::string::npos);
  EXPECT_EQ(buckets_.Get(request, IdOf("secret")).status, 404);
  EXPECT_EQ(buckets_.Remove(request, IdOf("secret")).status, 404);
  const Response refused = buckets_.Remove(request, IdOf("team1"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find(R"("code":"forbidden")"), std::string::npos) << refused.body;
  EXPECT_EQ(request.refusal, R"("team" has no right to administer the bucket "team1")");
  EXPECT_TRUE(store_.HasDatabase("team1"));
}

TEST_F(BucketRoutesTest, ADeletionDoesNotTellWhichDatabasesThereAre) {
  ASSERT_EQ(Post("/write?db=team1", "cpu v=1").status, 204);
  ASSERT_EQ(Post("/write?db=secret", "cpu v=1").status, 204);
  const auto refused = [this](std::string_view bucket, std::string_view database = "") {
    constexpr std::string_view kAll = R"({"start":"1970-01-01T00:00:00Z","stop":"2030-01-01T00:00:00Z"})";
    Request request;
    request.caller = std::make_shared<TeamCaller>(std::vector<http::Access>{http::Access::kWrite});
    request.database = database;
    EXPECT_TRUE(text::ParseForm("bucket=" + std::string(bucket), &request.params).ok());
    request.body.Reserve(kAll.size() + 1);
    std::ranges::copy(kAll, request.body.data());
    request.body.SetSize(kAll.size());
    return buckets_.Delete(request).status;
  };
  EXPECT_EQ(refused("nosuch"), 404);
  EXPECT_EQ(refused("secret"), 404);
  EXPECT_EQ(refused("", "secret"), 404);
  EXPECT_EQ(refused("team1"), 403);
  EXPECT_TRUE(store_.deletes.empty());
}

}  // namespace
}  // namespace tidemark::server
