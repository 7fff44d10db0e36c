// What the router does beside finding routes: whom an Observer hears of, and what pages of other origins are told.
#include "tools/server/http/router.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::http {
namespace {

class KeepingObserver final : public Observer {
 public:
  void Refused(const Request& head, int status, std::string_view why) override {
    heard.push_back("refused " + head.path + " " + std::to_string(status) + " " + std::string(why));
  }
  void Changed(const Request& request, int status) override {
    heard.push_back("changed " + request.path + " " + std::to_string(status) + " " + request.act);
  }
  std::vector<std::string> heard;
};

class RouterTest : public ::testing::Test {
 protected:
  static Route RouteOf(Access access, std::vector<Method> methods, std::string pattern,
                       std::function<Response(Request&)> handler) {
    return {
        .access = access, .methods = std::move(methods), .pattern = std::move(pattern), .handler = std::move(handler)};
  }
  Response Send(Method method, std::string target, std::vector<HeaderField> headers = {}) {
    Request request;
    request.method = method;
    request.method_name = Name(method);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.headers.push_back({"Host", "localhost"});
    Admission admission = router_.Admit(&request);
    return admission.refusal ? std::move(*admission.refusal) : router_.Handle(&request);
  }
  static std::string Header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  KeepingObserver observer_;
  Router router_{
      {RouteOf(Access::kAdmin, {Method::kPost}, "/act", [](Request&) { return TextResponse(200, ""); }),
       RouteOf(Access::kAdmin, {Method::kPost}, "/act/refused",
               [](Request& request) {
                 request.refusal = "not you";
                 return TextResponse(403, "");
               }),
       RouteOf(Access::kRead, {Method::kGet}, "/read", [](Request&) { return TextResponse(200, ""); }),
       RouteOf(Access::kAny, {Method::kPost}, "/some",
               [](Request& request) {
                 request.act = "did one";
                 request.refusal = "not the other";
                 return TextResponse(200, "");
               }),
       RouteOf(Access::kOpen, {Method::kPost}, "/sign-in", [](Request&) { return TextResponse(401, ""); }),
       RouteOf(Access::kRead, {Method::kGet}, "/kept/*", [](Request&) { return TextResponse(200, ""); }),
       RouteOf(Access::kWrite, {Method::kPut}, "/kept/*", [](Request&) { return TextResponse(200, ""); }),
       RouteOf(Access::kWrite, {Method::kDelete}, "/kept/*", [](Request&) { return TextResponse(200, ""); })},
      {.allowed_origins = {"https://page.example"}, .observer = &observer_}};
};

TEST_F(RouterTest, AnObserverHearsOfActsAndOfWhomHandlersRefuse) {
  Send(Method::kGet, "/read");
  EXPECT_TRUE(observer_.heard.empty());
  Send(Method::kPost, "/act");
  Send(Method::kPost, "/act/refused");
  Send(Method::kPost, "/some");
  Send(Method::kPost, "/sign-in");
  Send(Method::kPost, "/act", {{"Origin", "https://other.example"}});
  EXPECT_EQ(
      observer_.heard,
      (std::vector<std::string>{"changed /act 200 ", "refused /act/refused 403 not you",
                                "refused /some 200 not the other", "changed /some 200 did one", "refused /sign-in 401 ",
                                "refused /act 403 a page from another origin may change nothing here"}));
}

TEST_F(RouterTest, APageOfAnAllowedOriginIsToldWhatAPathTakes) {
  const std::vector<HeaderField> page = {{"Origin", "https://page.example"}};
  const Response plain = Send(Method::kOptions, "/read", page);
  EXPECT_EQ(plain.status, 204);
  EXPECT_EQ(Header(plain, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
  EXPECT_EQ(Header(plain, "Access-Control-Allow-Headers"), "Accept, Authorization, Content-Type, Origin");
  EXPECT_EQ(Header(plain, "Access-Control-Expose-Headers"), "Date");
  const Response kept = Send(Method::kOptions, "/kept/x", page);
  EXPECT_EQ(Header(kept, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS, PUT, DELETE");
  EXPECT_EQ(Header(kept, "Access-Control-Allow-Headers"),
            "Accept, Authorization, Content-Type, Origin, If-Match, If-None-Match");
  EXPECT_EQ(Header(kept, "Access-Control-Expose-Headers"), "Date, ETag");
  EXPECT_EQ(Send(Method::kPut, "/kept/x", page).status, 200);
  EXPECT_EQ(Send(Method::kDelete, "/kept/x", page).status, 200);
  const std::vector<HeaderField> stranger = {{"Origin", "https://other.example"}};
  EXPECT_EQ(Send(Method::kPut, "/kept/x", stranger).status, 403);
  EXPECT_EQ(Header(Send(Method::kOptions, "/kept/x", stranger), "Access-Control-Allow-Methods"), "");
}

// Where a request leads, of a router with a prefix: the status, and where the client is sent.
// What a pattern takes, as text, each capture in brackets.
TEST(RouterPath, ASlashWithinASegmentIsSentEscaped) {
  using namespace std::string_literals;
  const auto show = [](Request& request) {
    std::string text = request.path + " of " + request.database + ":";
    for (const std::string& capture : request.captures) text += " [" + capture + "]";
    return TextResponse(200, text);
  };
  const auto route = [&](std::string pattern) {
    return Route{.access = Access::kRead, .methods = {Method::kGet}, .pattern = std::move(pattern), .handler = show};
  };
  Router router({route("/rules/*"), route("/rules/*/*"), route("/api/read")}, {});
  const auto get = [&](std::string target) -> std::string {
    Request request;
    request.method = Method::kGet;
    request.method_name = Name(Method::kGet);
    request.target = std::move(target);
    request.headers = {{"Host", "localhost"}};
    const Admission admission = router.Admit(&request);
    if (admission.refusal) return std::to_string(admission.refusal->status);
    return router.Handle(&request).body;
  };
  EXPECT_EQ(get("/rules/a%2Fb"), "/rules/a/b of : [a/b]");
  EXPECT_EQ(get("/rules/a%2fb/c%20d%2F%2Fe"), "/rules/a/b/c d//e of : [a/b] [c d//e]");
  EXPECT_EQ(get("/rules/%C3%BC%2F.%2E/x"), "/rules/\u00fc/../x of : [\u00fc/..] [x]");
  EXPECT_EQ(get("/db/d%2Fe/rules/a"), "/rules/a of d/e: [a]");
  EXPECT_EQ(get("/rules/a%252Fb"), "/rules/a%2Fb of : [a%2Fb]") << "that is no slash";
  EXPECT_EQ(get("/api%2Fread"), "/api/read of :") << "who escapes them all is understood";
  EXPECT_EQ(get("/rules/a%2Fb/c/d"), "404");
  EXPECT_EQ(get("/rules/a%00b"), "/rules/a\0b of : [a\0b]"s);
}

class PrefixTest : public ::testing::Test {
 protected:
  static std::string Lead(const std::string& prefix, const std::string& external_path, Method method,
                          const std::string& target) {
    const auto route = [](Access access, Method taken, std::string pattern, std::function<Response(Request&)> handler) {
      return Route{.access = access, .methods = {taken}, .pattern = std::move(pattern), .handler = std::move(handler)};
    };
    Router router({route(Access::kOpen, Method::kGet, "/",
                         [](Request& request) {
                           Response response = TextResponse(302, "");
                           response.Set("Location", request.database.empty() ? "/page" : "/db/x/page");
                           return response;
                         }),
                   route(Access::kOpen, Method::kGet, "/page/*",
                         [](Request& request) { return TextResponse(200, request.database + request.captures[0]); }),
                   route(Access::kWrite, Method::kPost, "/write", [](Request&) { return TextResponse(204, ""); })},
                  {.allowed_origins = {}, .route_prefix = prefix, .external_path = external_path});
    Request request;
    request.method = method;
    request.target = target;
    request.headers.push_back({"Host", "localhost"});
    Admission admission = router.Admit(&request);
    const Response response = admission.refusal ? std::move(*admission.refusal) : router.Handle(&request);
    std::string lead = std::to_string(response.status);
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") lead += " " + value;
    }
    return response.status == 200 ? lead + " " + response.body : lead;
  }
};

TEST_F(PrefixTest, EverythingIsBelowIt) {
  const auto lead = [](const std::string& target) { return Lead("/tm", "/tm", Method::kGet, target); };
  EXPECT_EQ(lead("/tm/page/a"), "200 a");
  EXPECT_EQ(lead("/tm/db/x/page/a"), "200 xa");
  EXPECT_EQ(lead("/%74m/page/a"), "200 a");
  for (const char* const beside : {"/page/a", "/db/x/page/a", "/tmx/page/a", "/tmpage/a", "/t", "/x/tm/page/a",
                                   "/db/x/tm/page/a", "/tm/../page/a", "//page/a", "/tm/tm/page/a"}) {
    EXPECT_EQ(lead(beside), "404") << beside;
  }
  EXPECT_EQ(lead("/"), "302 /tm/");
  EXPECT_EQ(lead("/tm"), "302 /tm/page");
  EXPECT_EQ(lead("/tm/"), "302 /tm/page");
  EXPECT_EQ(lead("/tm/db/x"), "302 /tm/db/x/page");
  EXPECT_EQ(lead("/tm//page/./a?q=/x"), "301 /tm/page/a?q=/x");
  // What is left of these is the prefix alone.
  EXPECT_EQ(lead("/tm/."), "301 /tm/");
  EXPECT_EQ(lead("/tm/x/..?q=1"), "301 /tm/?q=1");
  EXPECT_EQ(Lead("/tm", "/tm", Method::kPost, "/tm/write"), "204");
  EXPECT_EQ(Lead("/tm", "/tm", Method::kPost, "/tm//write"), "308 /tm/write");
  EXPECT_EQ(Lead("/tm", "/tm", Method::kPost, "/write"), "404");
  EXPECT_EQ(Lead("/tm", "/tm", Method::kPost, "/"), "404");
}

TEST_F(PrefixTest, AProxyMayHaveAPathOfItsOwn) {
  // It takes its path off...
  const auto stripped = [](const std::string& target) { return Lead("", "/outside", Method::kGet, target); };
  EXPECT_EQ(stripped("/page/a"), "200 a");
  EXPECT_EQ(stripped("/outside/page/a"), "404");
  EXPECT_EQ(stripped("/"), "302 /outside/page");
  EXPECT_EQ(stripped("//page/a"), "301 /outside/page/a");
  // ...or puts another one in its place.
  const auto replaced = [](const std::string& target) { return Lead("/in", "/outside", Method::kGet, target); };
  EXPECT_EQ(replaced("/in/page/a"), "200 a");
  EXPECT_EQ(replaced("/in"), "302 /outside/page");
  EXPECT_EQ(replaced("/"), "302 /outside/");
  EXPECT_EQ(replaced("/in//page/a"), "301 /outside/page/a");
}

}  // namespace
}  // namespace tidemark::http
