// ServerTest: a server with a few routes that behave in known ways, on a free port.
#pragma once

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/lent_thread.h"
#include "tests/unit/tools/server/http/raw_client.h"
#include "tests/unit/tools/tls/test_files.h"
#include "tools/server/http/router.h"
#include "tools/server/http/server.h"

namespace tidemark::http {

class ServerTest : public ::testing::Test {
 protected:
  static constexpr size_t kBodyMax = 1'000'000;

  void Start(ServerOptions options = {}) {
    if (options.io_threads == 0) options.io_threads = 2;
    std::vector<Route> routes;
    routes.push_back({.access = Access::kOpen,
                      .lane = Lane::kInline,
                      .methods = {Method::kGet},
                      .pattern = "/ping",
                      .handler = [](Request&) { return TextResponse(200, "pong"); }});
    routes.push_back({.access = Access::kWrite,
                      .lane = Lane::kWrite,
                      .methods = {Method::kPost},
                      .pattern = "/echo",
                      .body_bytes_max = kBodyMax,
                      .handler = [](Request& r) { return TextResponse(200, std::string(r.body.view())); }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet, Method::kPost},
                      .pattern = "/label/*/values",
                      .body_bytes_max = kBodyMax,
                      .handler =
                          [](Request& r) {
                            return TextResponse(
                                200, fmt::format("{}|{}|{}", r.database, r.captures.at(0), r.params.Get("x")));
                          },
                      .form = true});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/header",
                      .handler = [](Request& r) {
                        Response response = TextResponse(200, "header");
                        response.Set("X-Text", std::string(r.params.Get("x")));
                        return response;
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/wait",
                      .handler = [this](Request&) {
                        entered_.set_value();
                        release_.get_future().wait();
                        return TextResponse(200, "waited");
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/stream",
                      .handler = [](Request&) {
                        Response response = TextResponse(200, "begin\n");
                        response.may_be_coded = true;
                        response.produce = [](const std::shared_ptr<ReplyStream>& stream) {
                          for (int i = 0; i < 3; ++i) stream->Push(fmt::format("line {}\n", i));
                          stream->Finish();
                        };
                        return response;
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kQuery,
                      .methods = {Method::kGet},
                      .pattern = "/busy",
                      .handler = [](Request&) {
                        ThisThreadIsBusy();
                        return TextResponse(200, "busy");
                      }});
    // Begins on the thread that read it; with ?busy=1 it turns out to be long.
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kQuery,
                      .methods = {Method::kGet},
                      .pattern = "/query",
                      .handler = [this](Request& r) {
                        if (ThisThreadIsLent()) ++lent_;
                        if (r.params.Get("busy") != "1") return TextResponse(200, "short");
                        ThisThreadIsBusy();
                        EXPECT_FALSE(ThisThreadIsLent());
                        ++busy_;
                        may_end_.wait(false);
                        return TextResponse(200, "long");
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/in-time",
                      .handler = [](Request& r) {
                        const int64_t an_hour_ns = int64_t{3600} * 1'000'000'000;
                        r.late->AnswerAt(SystemClock::Get().SteadyNs() + an_hour_ns, TextResponse(503, "timed out"));
                        return TextResponse(200, "in time");
                      }});
    // Passes its deadline: it asks for a late answer that is due at once, and does not end before it is let.
    for (const auto& [pattern, lane] : {std::pair{"/late", Lane::kRead}, {"/late-query", Lane::kQuery}}) {
      routes.push_back({.access = Access::kRead,
                        .lane = lane,
                        .methods = {Method::kGet},
                        .pattern = pattern,
                        .handler = [this](Request& r) {
                          r.late->AnswerAt(0, TextResponse(503, "timed out"));
                          ThisThreadIsBusy();
                          ++busy_;
                          may_end_.wait(false);
                          stop_was_requested_ = r.stop.stop_requested();
                          target_at_end_ = r.target;
                          --busy_;
                          return TextResponse(200, "too late");
                        }});
    }
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/slow-stream",
                      .handler = [this](Request& r) {
                        Response response = TextResponse(200, "begin\n");
                        response.ends_at_drain = r.params.Get("endless") == "1";
                        response.produce = [this](const std::shared_ptr<ReplyStream>& stream) {
                          ++busy_;
                          may_end_.wait(false);
                          stream->Push("end\n");
                          stream->Finish();
                        };
                        return response;
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/throwing-stream",
                      .handler = [](Request&) {
                        Response response = TextResponse(200, "begin\n");
                        response.produce = [](const std::shared_ptr<ReplyStream>& stream) {
                          stream->Push("a part\n");
                          throw std::length_error("of a library");
                        };
                        return response;
                      }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/throwing",
                      .handler = [](Request&) -> Response { throw std::length_error("of a library"); }});
    routes.push_back({.access = Access::kRead,
                      .lane = Lane::kRead,
                      .methods = {Method::kGet},
                      .pattern = "/large",
                      .handler = [](Request&) { return TextResponse(200, LargeText()); }});
    router_ = std::make_unique<Router>(std::move(routes), RouterOptions{});
    server_ = std::make_unique<Server>(options, router_.get());
    Result<Endpoint> endpoint = server_->Listen("127.0.0.1", 0, RawClient::kEncrypted ? TestContext() : nullptr);
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().message;
    port_ = endpoint->port;
    server_->Start();
  }

  std::shared_ptr<const tls::ServerContext> TestContext() {
    // Writes of OpenSSL have no flag for what the server's program sets for itself.
    std::signal(SIGPIPE, SIG_IGN);
    return *tls::ServerContext::Load(files_.server());
  }

  // More than the socket of a client that does not read takes.
  static std::string LargeText() {
    std::string text;
    for (int i = 0; text.size() < (size_t{24} << 20); ++i) text += fmt::format("{}\n", i);
    return text;
  }

  std::string Ask(const std::string& bytes) {
    RawClient client(port_);
    EXPECT_TRUE(client.connected());
    client.Send(bytes);
    return client.ReadReply();
  }

  void AwaitBusy(int count) {
    while (busy_ != count) std::this_thread::yield();
  }

  tls::TestFiles files_;
  std::atomic<int> lent_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> may_end_{false};
  std::atomic<bool> stop_was_requested_{false};
  std::string target_at_end_;
  std::promise<void> entered_;
  std::promise<void> release_;
  std::unique_ptr<Router> router_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

}  // namespace tidemark::http
