// What the router does beside finding routes: whom an Observer hears of, and what pages of other origins are told.
#include "tools/server/http/router.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tidemark::http
