// Every route, with every kind of credential: what lets in, and what does not.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/tools/server/access/memory_documents.h"
#include "tests/unit/tools/server/routes/routes_fixture.h"
#include "tools/admin/acts.h"
#include "tools/server/access/access_service.h"
#include "tools/server/access/credentials.h"
#include "tools/server/access/guard.h"
#include "tools/server/http/endpoint.h"

namespace tidemark::server::access {
namespace {

using http::Route;
using http::Scope;
using Headers = std::vector<http::HeaderField>;

constexpr int64_t kSecond = 1'000'000'000;

// Counts what an Observer hears.
class CountingObserver final : public http::Observer {
 public:
  void Refused(const Request& /*head*/, int /*status*/, std::string_view why) override {
    refused += why.empty() ? 0 : 1;
  }
  void Changed(const Request& request, int /*status*/) override { acts.push_back(request.act); }
  size_t refused = 0;
  std::vector<std::string> acts;
};

class AccessTest : public RoutesTest {
 protected:
  AccessTest() {
    root_ = Make("root", "admin:*");
    const auto first = Make("expired", "admin:*", kNow + kSecond);
    expired_ = first;
    clock_.Advance(kSecond);
    revoked_ = Make("revoked", "admin:*");
    EXPECT_TRUE(tokens_.Revoke("revoked", false, "test").ok());
  }

  std::string Make(const std::string& name, const std::string& grant, int64_t expires_ns = 0) {
    Result<TokenBook::Made> made =
        tokens_.Make({.name = name, .grants = {*ParseGrant(grant)}, .expires_ns = expires_ns}, "test");
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made->secret);
  }
  static Headers Bearer(const std::string& secret) { return {{"Authorization", "Bearer " + secret}}; }

  // The same request for every credential: a target of database "d".
  static std::string TargetOf(const Route& route) {
    std::string target = route.pattern;
    for (size_t star; (star = target.find('*')) != std::string::npos;) target.replace(star, 1, "x");
    return target + "?db=d&bucket=d";
  }
  Response Ask(const Route& route, Method method, Headers headers) {
    const size_t before = observer_.refused;
    Response response = guarded_.Admit(route, method, std::move(headers), *this);
    // Whoever is refused, by the router or by a handler, is heard of, with the reason.
    if (response.status == 401 || response.status == 403) {
      EXPECT_EQ(observer_.refused, before + 1) << route.pattern << ": " << response.body;
    }
    return response;
  }

  // The fixture's services behind a guard.
  struct Guarded {
    http::Router* router;
    Response Admit(const Route& route, Method method, Headers headers, AccessTest& test) const {
      return test.SendTo(*router, method, TargetOf(route), "", std::move(headers));
    }
  };
  Response SendTo(http::Router& router, Method method, std::string_view target, std::string_view body,
                  Headers headers) {
    Request request;
    request.method = method;
    request.method_name = http::Name(method);
    request.target = target;
    request.peer = "127.0.0.1:1";
    request.headers = std::move(headers);
    if (request.CountHeader("Host") == 0) request.headers.push_back({"Host", "localhost:8086"});
    http::Admission admission = router.Admit(&request);
    if (admission.refusal) return std::move(*admission.refusal);
    request.body.Reserve(body.size() + 1);
    std::copy(body.begin(), body.end(), request.body.data());
    request.body.SetSize(body.size());
    return router.Handle(&request);
  }
  Response Get(std::string_view target, Headers headers = {}) {
    return SendTo(router_with_guard_, Method::kGet, target, "", std::move(headers));
  }
  Response Post(std::string_view target, std::string_view body, Headers headers = {}) {
    return SendTo(router_with_guard_, Method::kPost, target, body, std::move(headers));
  }

  MemoryDocuments documents_;
  TokenBook tokens_{&documents_, &clock_};
  SessionBook sessions_{&documents_, &tokens_, &clock_, {}};
  AccessService access_{&tokens_, &sessions_, &clock_};
  Guard guard_{&tokens_, &sessions_, {}};
  CountingObserver observer_;
  query::rules::Manager rules_{{.store = &store_,
                                .sink = &events_,
                                .scheduler = nullptr,
                                .clock = &clock_,
                                .execute = &query::engine::Execute,
                                .memory = nullptr},
                               {}};
  query::api::QueryApi api_with_rules_{{.store = &store_,
                                        .scheduler = nullptr,
                                        .clock = &clock_,
                                        .rules = &rules_,
                                        .execute = &query::engine::Execute,
                                        .metadata = &metadata_}};
  SavedDashboards dashboards_{&documents_};
  BatchService batches_with_rules_{&api_with_rules_, {}};
  quota::QuotaBook quota_book_{&documents_, &clock_};
  quota::QuotaService quotas_{&quota_book_, [] { return std::vector<quota::TokenUsage>(); }};
  // Of a process that cannot be restarted.
  RestartService restart_{nullptr, nullptr, "0.1.0", kNow};
  http::Router router_with_guard_{MakeRoutes({.writes = &writes_,
                                              .influx = &influx_,
                                              .buckets = &buckets_,
                                              .admin = &admin_,
                                              .access = &access_,
                                              .audit = &audit_,
                                              .quotas = &quotas_,
                                              .backup = &backups_,
                                              .jobs = &jobs_,
                                              .restart = &restart_,
                                              .api = &api_with_rules_,
                                              .batches = &batches_with_rules_,
                                              .dashboards = &dashboards_,
                                              .events = &events_,
                                              .metrics = [] { return std::string("metrics\n"); }}),
                                  {.gatekeeper = &guard_, .observer = &observer_}};
  Guarded guarded_{&router_with_guard_};
  std::string root_;
  std::string expired_;
  std::string revoked_;
};

bool LetIn(const Response& response) { return response.status != 401 && response.status != 403; }

// Whether a token with `given` to database `databases` passes the check of a route that is asked about database "d";
// nullopt: the handler decides.
std::optional<bool> Expected(const Route& route, Access given, std::string_view databases) {
  if (route.access == Access::kOpen) return true;
  const bool right = given == Access::kAdmin || given == route.access || route.access == Access::kAny;
  switch (route.scope) {
    case Scope::kServer: return right && databases == "*";
    case Scope::kSession: return right;
    case Scope::kDatabase: return right && (databases == "*" || databases == "d");
    case Scope::kHandler: return right ? std::nullopt : std::optional(false);
  }
  return false;
}

TEST_F(AccessTest, EveryRouteWithEveryCredential) {
  // Signing in asks for a token by itself, and signing out ends the session that the others are asked with: both have a
  // test of their own.
  const auto is_sign_in = [](const Route& route) {
    return route.pattern == "/api/v1/session" && route.methods.front() == Method::kPost;
  };
  const auto is_sign_out = [](const Route& route) { return route.methods.front() == Method::kDelete; };
  struct Token {
    std::string secret;
    Access access;
    std::string databases;
  };
  std::vector<Token> all;
  for (const Access access : {Access::kRead, Access::kWrite, Access::kAdmin}) {
    for (const std::string databases : {"d", "other", "*"}) {
      const std::string name = fmt::format("{}-{}", Name(access), databases == "*" ? "all" : databases);
      all.push_back({Make(name, fmt::format("{}:{}", Name(access), databases)), access, databases});
    }
  }
  const Result<SessionBook::Opened> session = sessions_.Open(root_, false, "p", "b");
  ASSERT_TRUE(session.ok());
  const std::string cookie = fmt::format("{}={}", kSessionCookie, session->secret);
  size_t asked = 0;
  for (const Route& route : router_with_guard_.routes()) {
    if (is_sign_in(route)) continue;
    const bool open = route.access == Access::kOpen;
    for (const Method method : route.methods) {
      const std::string what = fmt::format("{} {}", http::Name(method), route.pattern);
      EXPECT_EQ(LetIn(Ask(route, method, {})), open) << what << " with nothing";
      for (const auto& [kind, secret] :
           {std::pair("expired", expired_), {"revoked", revoked_}, {"bad", "tidemark_x"}}) {
        const Response response = Ask(route, method, Bearer(secret));
        EXPECT_EQ(response.status == 401, !open) << what << ", " << kind << ": " << response.status;
      }
      for (const Token& token : all) {
        const Response response = Ask(route, method, Bearer(token.secret));
        const std::optional<bool> expected = Expected(route, token.access, token.databases);
        if (expected) {
          EXPECT_EQ(LetIn(response), *expected) << what << ", " << Name(token.access) << ":" << token.databases << ": "
                                                << response.status << " " << response.body;
        }
        ++asked;
      }
      if (is_sign_out(route)) continue;
      const bool changes = method != Method::kGet;
      EXPECT_EQ(LetIn(Ask(route, method, {{"Cookie", cookie}})), open || !changes)
          << what << ", session without header";
      EXPECT_TRUE(
          LetIn(Ask(route, method, {{"Cookie", cookie}, {"X-Tidemark-Csrf", session->caller->forgery_value()}})) ||
          route.pattern == "/api/v1/session")
          << what << ", session with header";
    }
  }
  EXPECT_GT(asked, 9U * 50);
}

TEST_F(AccessTest, WritesNeedTheDatabaseThatTheyGoTo) {
  const std::string writer = Make("w", "write:mine_*");
  EXPECT_EQ(Post("/write?db=mine_a", "m v=1", Bearer(writer)).status, 204);
  EXPECT_EQ(Post("/db/mine_a/write", "m v=1", Bearer(writer)).status, 204);
  for (const char* const target : {"/write?db=yours", "/write", "/db/yours/write?db=mine_a",
                                   "/api/v2/write?bucket=yours", "/api/v2/write?bucket=yours/autogen&db=mine_a"}) {
    EXPECT_EQ(Post(target, "m v=1", Bearer(writer)).status, 403) << target;
  }
  EXPECT_EQ(Post("/api/v2/write?bucket=mine_a", "m v=1", {{"Authorization", "Token " + writer}}).status, 204);
  EXPECT_EQ(Post("/write?db=mine_a&u=anyone&p=" + writer, "m v=1").status, 204);
  EXPECT_EQ(Post("/write?db=mine_a&u=anyone&p=wrong", "m v=1").status, 401);
  EXPECT_EQ(Post("/write?db=mine_a&u=anyone", "m v=1").status, 401);
}

TEST_F(AccessTest, AFormNamesTheDatabaseToo) {
  const std::string reader = Make("r", "read:mine");
  Headers form = Bearer(reader);
  form.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  EXPECT_EQ(Post("/api/v1/query", "query=1&db=yours", form).status, 403);
  EXPECT_EQ(Post("/api/v1/query?db=mine", "query=1&db=yours", form).status, 403)
      << "the form's is what the handler takes";
  EXPECT_NE(Post("/api/v1/query", "query=1&db=mine", form).status, 403);
  EXPECT_EQ(Post("/db/yours/api/v1/query", "query=1&db=mine", form).status, 403);
}

TEST_F(AccessTest, ABatchAsksForTheRightToEachDatabaseInIt) {
  const std::string reader = Make("r", "read:mine");
  const std::string body = R"({"queries":[{"id":"a","endpoint":"query","params":{"query":"1","db":"mine"}},)"
                           R"({"id":"b","endpoint":"query","params":{"query":"1","db":"yours"}},)"
                           R"({"id":"c","endpoint":"query","params":{"query":"1"}},)"
                           R"({"id":"d","endpoint":"alerts","params":{"db":"mine"}}]})";
  const auto allowed = [&](const std::string& path) {
    const Response response = Post(path, body, Bearer(reader));
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.produce);
    std::string ids;
    for (const std::string id : {"a", "b", "c", "d"}) {
      const bool yes = response.body.find(R"({"id":")" + id + R"(","status":200,)") != std::string::npos;
      const bool no = response.body.find(R"({"id":")" + id + R"(","status":403,)") != std::string::npos;
      EXPECT_NE(yes, no) << id << " in " << response.body;
      if (yes) ids += id;
    }
    return ids;
  };
  EXPECT_EQ(allowed("/api/v1/query_batch"), "a");
  EXPECT_EQ(allowed("/db/mine/api/v1/query_batch"), "abc");
  EXPECT_EQ(allowed("/db/yours/api/v1/query_batch"), "");
}

TEST_F(AccessTest, AReaderReachesNoStatementThatChanges) {
  const std::string reader = Make("r", "read:mine");
  const std::string writer = Make("w", "write:mine");
  const auto ask = [&](const std::string& secret, const std::string& statement) {
    Headers form = Bearer(secret);
    form.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    return Post("/query?db=mine", "q=" + statement, form);
  };
  for (const char* const statement : {"DROP+DATABASE+mine", "CREATE+DATABASE+mine", "CREATE+DATABASE+x",
                                      "SHOW+DATABASES;DROP+DATABASE+mine", "SHOW+MEASUREMENTS+ON+yours"}) {
    EXPECT_NE(ask(reader, statement).body.find("has no right"), std::string::npos)
        << statement << ": " << ask(reader, statement).body;
  }
  EXPECT_NE(ask(writer, "DROP+DATABASE+mine").body.find("has no right"), std::string::npos);
  EXPECT_EQ(ask(writer, "CREATE+DATABASE+mine").body.find("has no right"), std::string::npos);
  EXPECT_EQ(ask(reader, "SHOW+DATABASES").status, 200);
}

TEST_F(AccessTest, StatementsAreHeardOfByTheirNames) {
  const std::string writer = Make("w", "write:mine");
  const auto ask = [&](const std::string& secret, const std::string& statement) {
    Headers form = Bearer(secret);
    form.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    EXPECT_EQ(Post("/query?db=mine", "q=" + statement, form).status, 200);
  };
  const size_t before = observer_.refused;
  ask(writer, "CREATE+DATABASE+mine;SHOW+DATABASES;DROP+DATABASE+mine");
  EXPECT_EQ(observer_.acts, std::vector<std::string>{"CREATE DATABASE mine: done"});
  EXPECT_EQ(observer_.refused, before + 1) << "one of the statements";
  ask(root_, "SHOW+MEASUREMENTS");
  EXPECT_EQ(observer_.acts.size(), 1U);
  ask(root_, "DELETE+FROM+nothing;DROP+RETENTION+POLICY+autogen+ON+mine;DROP+DATABASE+mine");
  EXPECT_EQ(observer_.acts.back(), "DELETE mine: done; DROP RETENTION POLICY mine: failed");
  EXPECT_EQ(Post("/api/v1/session", "token=wrong", {{"Content-Type", "application/x-www-form-urlencoded"}}).status,
            401);
  EXPECT_EQ(observer_.refused, before + 2) << "who signs in with a wrong token";
}

TEST_F(AccessTest, HealthSaysItsDetailsToWhoMayRead) {
  const std::string reader = Make("r", "read:mine");
  const std::string writer = Make("w", "write:mine");
  store_.findings = {{.place = "lost.sst", .what = "is missing"}};
  for (const Headers& headers : {Headers{}, Bearer("tidemark_x"), Bearer(writer)}) {
    const Response response = Get("/health", headers);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body.find("version"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find(R"("status":"pass","checks":[])"), std::string::npos) << response.body;
    EXPECT_EQ(response.body.find("lost.sst"), std::string::npos) << response.body;
  }
  const Response told = Get("/health", Bearer(reader));
  EXPECT_NE(told.body.find("lost.sst"), std::string::npos) << told.body;
  EXPECT_NE(told.body.find(R"("version":"0.1.0")"), std::string::npos) << told.body;
}

TEST_F(AccessTest, CredentialsAsEachProtocolSendsThem) {
  // base64 of "x:" and the token.
  const auto basic = [](std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (size_t i = 0; i < text.size(); i += 3) {
      uint32_t bits = 0;
      for (size_t j = 0; j < 3; ++j) bits = bits << 8U | (i + j < text.size() ? static_cast<uint8_t>(text[i + j]) : 0U);
      for (size_t j = 0; j < 4; ++j) out += i + j > text.size() ? '=' : kDigits[bits >> (18 - 6 * j) & 63U];
    }
    return out;
  };
  const std::string target = "/api/v1/status/buildinfo";
  for (const std::string& value :
       {"Bearer " + root_, "bearer  " + root_, "Token " + root_, "Basic " + basic("x:" + root_),
        "Basic " + basic(":" + root_), "basic " + basic("abcd:" + root_)}) {
    EXPECT_EQ(Get(target, {{"Authorization", value}}).status, 200) << value;
  }
  for (const std::string& value :
       {std::string("Bearer"), std::string("Bearer "), std::string("Digest x"), root_, "Basic " + root_,
        "Basic " + basic(root_), "Basic " + basic(root_ + ":x"), std::string("Basic ="), std::string("Basic ====")}) {
    const Response response = Get(target, {{"Authorization", value}});
    EXPECT_EQ(response.status, 401) << value;
    EXPECT_EQ(Header(response, "WWW-Authenticate"), R"(Bearer realm="Tidemark")");
    EXPECT_EQ(response.body.find(root_), std::string::npos) << "no secret comes back";
  }
  EXPECT_EQ(Get(target, {{"Authorization", "Bearer " + root_}, {"Authorization", "Bearer x"}}).status, 401);
  EXPECT_EQ(Get(target + "?p=" + root_, {{"Authorization", "Bearer x"}}).status, 401) << "a bad one is not overlooked";
  EXPECT_EQ(Get(target + "?u=x&p=bad", Bearer(root_)).status, 401) << "nor behind a good one";
  EXPECT_EQ(Get(target + "?p=" + root_ + "&p=bad").status, 401) << "nor a second password";
  EXPECT_EQ(Get(target + "?u=x&p=" + root_, Bearer(root_)).status, 200) << "the same one twice";
  EXPECT_EQ(Get(target + "?u=&p=", Bearer(root_)).status, 200) << "fields that nobody filled in";
}

TEST_F(AccessTest, SignsInAndOut) {
  const Headers form = {{"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(Post("/api/v1/session", "token=wrong", form).status, 401);
  const Response in = Post("/api/v1/session", "token=" + root_, form);
  ASSERT_EQ(in.status, 200) << in.body;
  const std::string set = Header(in, "Set-Cookie");
  EXPECT_NE(set.find("; HttpOnly; SameSite=Strict"), std::string::npos) << set;
  EXPECT_EQ(Header(in, "Cache-Control"), "no-store");
  EXPECT_EQ(in.body.find(root_), std::string::npos);
  const std::string cookie = "a=b; " + set.substr(0, set.find(';'));
  const size_t at = in.body.find(R"("csrf":")") + 8;
  const std::string csrf = in.body.substr(at, in.body.find('"', at) - at);
  EXPECT_EQ(Get("/api/v1/session", {{"Cookie", cookie}}).status, 200);
  const auto out = [&](Headers headers) {
    return SendTo(router_with_guard_, Method::kDelete, "/api/v1/session", "", std::move(headers)).status;
  };
  EXPECT_EQ(out({{"Cookie", cookie}}), 403);
  EXPECT_EQ(out({{"Cookie", cookie}, {"X-Tidemark-Csrf", csrf}, {"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(out({{"Cookie", cookie}, {"X-Tidemark-Csrf", csrf}}), 200);
  EXPECT_EQ(Get("/api/v1/session", {{"Cookie", cookie}}).status, 401);
}

TEST_F(AccessTest, TokensAreMadeListedRotatedAndRevokedByTheApi) {
  const Response made =
      Post("/api/v1/admin/tokens?name=t&grant=read:a&grant=write:b&expires=90d&note=of+mine", "", Bearer(root_));
  ASSERT_EQ(made.status, 200) << made.body;
  const size_t at = made.body.find("tidemark_");
  const std::string secret = made.body.substr(at, made.body.find('"', at) - at);
  EXPECT_EQ(Get("/api/v1/query?query=1&db=a", Bearer(secret)).status == 403, false);
  const Response list = Get("/api/v1/admin/tokens", Bearer(root_));
  EXPECT_EQ(list.body.find(secret), std::string::npos);
  EXPECT_NE(list.body.find(R"("name":"t","grants":["read:a","write:b"])"), std::string::npos) << list.body;
  EXPECT_NE(list.body.find(R"("note":"of mine")"), std::string::npos) << list.body;
  EXPECT_EQ(Get("/api/v1/admin/tokens", Bearer(secret)).status, 403);
  EXPECT_EQ(Post("/api/v1/admin/tokens?name=t&grant=read:a", "", Bearer(root_)).status, 409);
  EXPECT_EQ(Post("/api/v1/admin/tokens?name=u&grant=reed:a", "", Bearer(root_)).status, 400);
  EXPECT_EQ(Post("/api/v1/admin/tokens/rotate?name=t&overlap=1h", "", Bearer(root_)).status, 200);
  EXPECT_NE(Get("/api/v1/query?query=1&db=a", Bearer(secret)).status, 401);
  EXPECT_EQ(Post("/api/v1/admin/tokens/revoke?name=t", "", Bearer(root_)).status, 200);
  EXPECT_EQ(Get("/api/v1/query?query=1&db=a", Bearer(secret)).status, 401);
  EXPECT_EQ(Post("/api/v1/admin/tokens/revoke?name=root", "", Bearer(root_)).status, 409);
}

TEST_F(AccessTest, EveryActAnswersWithTheKeysOfItsRow) {
  const Result<SessionBook::Opened> session = sessions_.Open(root_, false, "p", "b");
  ASSERT_TRUE(session.ok());
  const std::map<std::string_view, std::string> parameters = {{"token new", "?name=t&grant=read:a"},
                                                              {"token quota", "?name=t&quota=points/s=5"},
                                                              {"token rotate", "?name=t"},
                                                              {"token revoke", "?name=t"},
                                                              {"session revoke", "?id=" + session->caller->info().id}};
  size_t asked = 0;
  for (const admin::Act& act : admin::Acts()) {
    if (admin::HandlerOf<AccessService>(act.name) == nullptr) continue;
    const auto more = parameters.find(act.name);
    const std::string target = std::string(act.path) + (more == parameters.end() ? "" : more->second);
    const Response response =
        act.method == admin::Method::kGet ? Get(target, Bearer(root_)) : Post(target, "", Bearer(root_));
    EXPECT_EQ(response.status, 200) << act.name << ": " << response.body;
    std::istringstream keys{std::string(act.keys)};
    for (std::string key; keys >> key;) {
      EXPECT_NE(response.body.find(fmt::format("\"{}\":", key)), std::string::npos)
          << act.name << ": " << key << " in " << response.body;
    }
    ++asked;
  }
  EXPECT_EQ(asked, 7U);
}

TEST(GuardTest, WithoutTokensOnlyNamesOfThisMachineAreKnown) {
  MemoryDocuments documents;
  ManualClock clock(kNow);
  TokenBook tokens(&documents, &clock);
  SessionBook sessions(&documents, &tokens, &clock, {});
  const Guard guard(&tokens, &sessions, {.hosts = {"metrics.example"}});
  const auto knows = [&guard](std::string_view host) {
    const Result<http::Authority> authority = http::ParseAuthority(host);
    return authority.ok() && guard.KnowsHost(*authority);
  };
  for (const std::string_view host :
       {"localhost", "127.0.0.1", "[::1]", "192.168.1.2", "Metrics.example", "tidemark", "", "localhost.",
        "metrics.example.:8086", "[fe80::1%25eth0]:1", "127.1", "db.localhost"}) {
    EXPECT_TRUE(knows(host)) << host;
  }
  for (const std::string_view host :
       {"evil.example", "127.0.0.1.evil.example", "[evil.example]", "[127.0.0.1]", "ai.", "localhost@evil.example",
        "metrics.example@evil.example", "evil.example:localhost", "[::1]evil.example", "1.2.3.4.5",
        "evil.example, localhost", "[::1", "local_host.x"}) {
    EXPECT_FALSE(knows(host)) << host;
  }
  ASSERT_TRUE(tokens.Make({.name = "root", .grants = {{Access::kAdmin, "*"}}}, "test").ok());
  EXPECT_TRUE(knows("evil.example"));
}

}  // namespace
}  // namespace tidemark::server::access
