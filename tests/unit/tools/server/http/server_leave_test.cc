// What a server leaves to the one that follows, and that no request is lost in between.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/memory/budget.h"
#include "tests/unit/tools/server/http/server_fixture.h"

namespace tidemark::http {
namespace {

constexpr std::string_view kPing = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerLeaveTest : public ServerTest {
 protected:
  // Another server in the place of the present one.
  void Follow(Inheritance left) {
    ASSERT_EQ(left.listeners.size(), 1U);
    ServerOptions options;
    options.io_threads = 2;
    server_ = std::make_unique<Server>(options, router_.get());
    const Result<Endpoint> taken =
        server_->Adopt(left.listeners.front(), RawClient::kEncrypted ? TestContext() : nullptr);
    ASSERT_TRUE(taken.ok()) << taken.error().message;
    EXPECT_EQ(taken->port, port_);
    server_->Start();
    for (const int connection : left.connections) server_->Resume(connection);
  }

  std::future<Inheritance> LeaveMeanwhile() {
    return std::async(std::launch::async, [this] { return server_->Leave(std::chrono::seconds(30)); });
  }
};

TEST_F(ServerLeaveTest, ConnectionsBetweenRequestsGoOn) {
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(port_));
    clients.back()->Send(kPing);
    EXPECT_TRUE(clients.back()->ReadReply().starts_with("HTTP/1.1 200"));
  }
  Inheritance left = server_->Leave(std::chrono::seconds(30));
  EXPECT_TRUE(left.all_finished);
  EXPECT_EQ(server_->counters().connections_open, 0U);
  if (RawClient::kEncrypted) {
    // Their keys are the process' own: they end.
    EXPECT_TRUE(left.connections.empty());
    EXPECT_EQ(clients.front()->ReadAll(), "");
    return Follow(std::move(left));
  }
  EXPECT_EQ(left.connections.size(), 20U);
  // Sent while nobody reads.
  for (const auto& client : clients) client->Send(kPing);
  Follow(std::move(left));
  for (const auto& client : clients) {
    const std::string reply = client->ReadReply();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << reply;
    EXPECT_EQ(reply.find("Connection: close"), std::string::npos) << reply;
  }
}

TEST_F(ServerLeaveTest, WhatHasBegunIsAnsweredAndTheReplyIsTheLast) {
  Start();
  RawClient client(port_);
  client.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  entered_.get_future().wait();
  auto left = LeaveMeanwhile();
  EXPECT_EQ(left.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  release_.set_value();
  const std::string reply = client.ReadReply();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << reply;
  EXPECT_NE(reply.find("Connection: close"), std::string::npos) << reply;
  Follow(left.get());
  EXPECT_TRUE(Ask(std::string(kPing)).starts_with("HTTP/1.1 200"));
}

TEST_F(ServerLeaveTest, RequestsInLineAreAllAnswered) {
  Start();
  RawClient client(port_);
  std::string all = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
  for (int i = 0; i < 5; ++i) all += kPing;
  client.Send(all);
  entered_.get_future().wait();
  auto left = LeaveMeanwhile();
  EXPECT_EQ(left.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  release_.set_value();
  for (int i = 0; i < 6; ++i) {
    const std::string reply = client.ReadReply();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 200")) << i << ": " << reply;
    EXPECT_EQ(reply.find("Connection: close") != std::string::npos, i == 5) << i << ": " << reply;
  }
  EXPECT_TRUE(left.get().all_finished);
}

TEST_F(ServerLeaveTest, WhoConnectsMeanwhileWaits) {
  Start();
  RawClient busy(port_);
  busy.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  entered_.get_future().wait();
  auto left = LeaveMeanwhile();
  release_.set_value();
  Inheritance inheritance = left.get();
  // A handshake needs a server that speaks.
  auto reply = std::async(std::launch::async, [this] { return Ask(std::string(kPing)); });
  EXPECT_EQ(reply.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  Follow(std::move(inheritance));
  EXPECT_TRUE(reply.get().starts_with("HTTP/1.1 200"));
}

TEST_F(ServerLeaveTest, WhatDoesNotEndIsCut) {
  Start();
  RawClient half(port_);
  half.Send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  RawClient idle(port_);
  idle.Send(kPing);
  EXPECT_TRUE(idle.ReadReply().starts_with("HTTP/1.1 200"));
  const Inheritance left = server_->Leave(std::chrono::milliseconds(200));
  EXPECT_FALSE(left.all_finished);
  EXPECT_EQ(left.connections.size(), RawClient::kEncrypted ? 0U : 1U);
  EXPECT_EQ(half.ReadAll(), "");
}

TEST_F(ServerLeaveTest, BodiesAreTakenOfTheProcessMemory) {
  memory::Budget budget(uint64_t{64} << 20);
  ServerOptions options;
  options.memory = &budget;
  Start(options);
  const uint64_t share = budget.limit_bytes(memory::Class::kRequests);
  ASSERT_GT(share, uint64_t{1} << 20);
  // The rest of the share is somebody else's: what is left holds a small body beside its echo.
  const uint64_t taken = share - (uint64_t{500} << 10);
  ASSERT_TRUE(budget.TryTake(memory::Class::kRequests, taken));
  const auto post = [](size_t bytes) {
    return fmt::format("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", bytes,
                       std::string(bytes, 'x'));
  };
  const std::string small = Ask(post(200'000));
  EXPECT_TRUE(small.starts_with("HTTP/1.1 200")) << small.substr(0, 400);
  const std::string refused = Ask(post(900'000));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503")) << refused.substr(0, 200);
  EXPECT_NE(refused.find("Retry-After: 1"), std::string::npos) << refused.substr(0, 400);
  budget.Give(memory::Class::kRequests, taken);
  EXPECT_TRUE(Ask(post(900'000)).starts_with("HTTP/1.1 200"));
  server_.reset();
  EXPECT_EQ(budget.used_bytes(memory::Class::kRequests), 0U);
}

}  // namespace
}  // namespace tidemark::http
