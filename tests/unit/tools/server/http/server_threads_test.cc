// Who works for a request, who waits for whom, and what is left of it when the client or the server goes.
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/tools/server/http/server_fixture.h"

namespace tidemark::http {
namespace {

using ServerThreadsTest = ServerTest;

TEST_F(ServerThreadsTest, SendsWhatTheSocketDidNotTakeAtOnce) {
  Start();
  RawClient client(port_);
  client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  // The worker has sent as much as fits, and nobody reads yet.
  while (server_->counters().sent_bytes.load() == 0) std::this_thread::yield();
  const std::string reply = client.ReadReply();
  const size_t body = reply.find("\r\n\r\n") + 4;
  EXPECT_TRUE(std::string_view(reply).substr(body) == LargeText());
  EXPECT_TRUE(client.ReadReply().ends_with("pong"));
}

TEST_F(ServerThreadsTest, AClientThatLeavesBeforeItsLargeReplyIsForgotten) {
  Start();
  for (int i = 0; i < 5; ++i) {
    RawClient client(port_);
    client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    while (server_->counters().reply_bytes.load() == 0) std::this_thread::yield();
  }
  while (server_->counters().reply_bytes.load() != 0 || server_->counters().connections_open.load() != 0) {
    std::this_thread::yield();
  }
}

TEST_F(ServerThreadsTest, ASlowRequestDoesNotHoldUpOthers) {
  ServerOptions options;
  options.read_threads = 1;
  options.queue_max = 1;
  Start(options);
  RawClient slow(port_);
  slow.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  entered_.get_future().wait();
  EXPECT_TRUE(Ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("pong"));
  EXPECT_TRUE(Ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").ends_with("hi"));
  RawClient queued(port_);
  queued.Send("GET /label/a/values HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server_->queued_reads() == 0) std::this_thread::yield();
  EXPECT_TRUE(Ask("GET /label/a/values HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 503 "));
  release_.set_value();
  EXPECT_TRUE(slow.ReadReply().ends_with("waited"));
  EXPECT_TRUE(queued.ReadReply().ends_with("|a|"));
}

TEST_F(ServerThreadsTest, ALongQueryLeavesItsLoopToAnotherThread) {
  ServerOptions options;
  options.io_threads = 1;
  options.read_threads = 2;
  Start(options);
  const std::string query = "GET /query HTTP/1.1\r\nHost: a\r\n\r\n";
  // As soon as there is a thread that stands by, the loop's own answers.
  while (lent_ == 0) EXPECT_TRUE(Ask(query).ends_with("short"));
  const std::string busy = "GET /query?busy=1 HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient first(port_);
  first.Send(busy);
  AwaitBusy(1);
  RawClient second(port_);
  second.Send(busy + query);  // the next one is read when this one is answered
  AwaitBusy(2);
  // Nobody is left to take the loop: this one waits in the queue, and what needs no thread goes on.
  RawClient third(port_);
  third.Send("GET /query?busy=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  while (server_->queued_reads() != 1) std::this_thread::yield();
  EXPECT_TRUE(Ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("pong"));
  EXPECT_EQ(busy_, 2);
  may_end_ = true;
  may_end_.notify_all();
  EXPECT_TRUE(first.ReadReply().ends_with("long"));
  EXPECT_TRUE(second.ReadReply().ends_with("long"));
  EXPECT_TRUE(second.ReadReply().ends_with("short"));
  EXPECT_TRUE(third.ReadReply().ends_with("long"));
  first.Send(query);
  EXPECT_TRUE(first.ReadReply().ends_with("short"));
}

TEST_F(ServerThreadsTest, ALongQueryOfAClientThatLeftEndsAlone) {
  ServerOptions options;
  options.io_threads = 1;
  Start(options);
  for (int i = 1; i <= 4; ++i) {
    RawClient client(port_);
    client.Send("GET /query?busy=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    AwaitBusy(i);
  }
  EXPECT_TRUE(Ask("GET /query HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("short"));
  may_end_ = true;
  may_end_.notify_all();
  while (server_->counters().connections_open.load() != 0) std::this_thread::yield();
}

TEST_F(ServerThreadsTest, ManyClientsOfShortAndLongQueries) {
  ServerOptions options;
  options.io_threads = 2;
  options.read_threads = 3;
  Start(options);
  may_end_ = true;
  std::vector<std::jthread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([this, c] {
      RawClient client(port_);
      for (int i = 0; i < 200; ++i) {
        const bool large = (i * 7 + c) % 5 == 0;
        client.Send(large ? "GET /busy HTTP/1.1\r\nHost: a\r\n\r\n" : "GET /query HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(client.ReadReply().ends_with(large ? "busy" : "short"));
      }
    });
  }
}

// Whatever the handler does: it is still at work when the client has the answer.
TEST_F(ServerThreadsTest, AtItsDeadlineARequestIsAnsweredWithoutItsHandler) {
  Start();
  for (const std::string target : {"/late", "/late-query"}) {
    may_end_ = false;
    RawClient client(port_);
    client.Send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string reply = client.ReadReply();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
    EXPECT_TRUE(reply.ends_with("timed out")) << reply;
    EXPECT_NE(reply.find("Connection: close\r\n"), std::string::npos) << "the request is still the handler's";
    AwaitBusy(1);
    EXPECT_EQ(server_->counters().connections_open, 1U);
    may_end_ = true;
    may_end_.notify_all();
    EXPECT_EQ(client.ReadAll(), "") << "what the handler answers goes nowhere";
    AwaitBusy(0);
    EXPECT_TRUE(stop_was_requested_) << target;
    EXPECT_EQ(target_at_end_, target);
    while (server_->counters().connections_open.load() != 0) std::this_thread::yield();
  }
  EXPECT_EQ(server_->counters().late_answers, 2U);
}

TEST_F(ServerThreadsTest, ALateAnswerThatWasNotNeededIsForgotten) {
  Start();
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /in-time HTTP/1.1\r\nHost: a\r\n\r\nGET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(client.ReadReply().ends_with("in time"));
    EXPECT_TRUE(client.ReadReply().ends_with("pong"));
  }
  EXPECT_EQ(server_->counters().late_answers, 0U);
}

TEST_F(ServerThreadsTest, DrainFinishesWhatHasBegun) {
  Start();
  RawClient idle(port_);
  idle.Send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  idle.ReadReply();
  RawClient slow(port_);
  slow.Send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  entered_.get_future().wait();
  std::future<bool> drained =
      std::async(std::launch::async, [this] { return server_->Drain(std::chrono::seconds(10)); });
  EXPECT_EQ(idle.ReadAll(), "");
  release_.set_value();
  const std::string reply = slow.ReadAll();
  EXPECT_TRUE(reply.ends_with("waited"));
  EXPECT_NE(reply.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(drained.get());
}

TEST_F(ServerThreadsTest, DrainLetsAStreamedReplyEnd) {
  Start();
  RawClient client(port_);
  client.Send("GET /slow-stream HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadUntil("begin\n");
  RawClient endless(port_);
  endless.Send("GET /slow-stream?endless=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  endless.ReadUntil("begin\n");
  AwaitBusy(2);
  std::future<bool> drained =
      std::async(std::launch::async, [this] { return server_->Drain(std::chrono::seconds(60)); });
  EXPECT_TRUE(endless.ReadAll().ends_with("\r\n0\r\n\r\n"));
  may_end_ = true;
  may_end_.notify_all();
  EXPECT_TRUE(client.ReadAll().ends_with("4\r\nend\n\r\n0\r\n\r\n"));
  EXPECT_TRUE(drained.get());
}

TEST_F(ServerThreadsTest, AStreamedReplyThatIsCutDoesNotLookWhole) {
  Start();
  RawClient client(port_);
  client.Send("GET /slow-stream HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadUntil("begin\n");
  AwaitBusy(1);
  std::future<bool> drained =
      std::async(std::launch::async, [this] { return server_->Drain(std::chrono::milliseconds(0)); });
  EXPECT_EQ(client.ReadAll().find("0\r\n\r\n"), std::string::npos);
  may_end_ = true;
  may_end_.notify_all();
  EXPECT_FALSE(drained.get());
}

}  // namespace
}  // namespace tidemark::http
