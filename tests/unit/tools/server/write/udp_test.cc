// Line protocol over UDP, into the services of the routes: borders of messages, times, senders.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/unit/tools/server/routes/routes_fixture.h"
#include "tools/server/write/udp_listener.h"

namespace tidemark::server {
namespace {

using UdpTest = RoutesTest;

TEST_F(UdpTest, DatagramsKeepTheirBordersTimesAndSenders) {
  // Glued together, the open string of the first would go on in the second.
  const std::vector<Datagram> datagrams = {
      {"m,s=a v=1\nm,s=a t=\"open", "127.0.0.1:1", {1'700'000'000'000'000'000}},
      {"m,s=b v=2,t=\"closed\"", "127.0.0.1:2", {1'700'000'001'000'000'000}},
      {"\n\nbad", "[::1]:3", {1'700'000'002'000'000'000}},
  };
  std::string problem;
  const auto written = writes_.TakeDatagrams(DatagramProtocols().front(), {.database = "u"}, datagrams, &problem);
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->rows_written, 2U);
  const std::string times = Get("/api/v1/query?query=timestamp(m_v)&db=u&time=1700000002").body;
  EXPECT_NE(times.find(R"({"metric":{"s":"a"},"value":[1700000002,"1700000000"]})"), std::string::npos) << times;
  EXPECT_NE(times.find(R"({"metric":{"s":"b"},"value":[1700000002,"1700000001"]})"), std::string::npos) << times;
  const std::vector<write_path::LoggedRejection> logged = rejections_.Newest(10);
  ASSERT_EQ(logged.size(), 2U);
  EXPECT_EQ(logged[1].line, 2U);
  EXPECT_EQ(logged[1].source, "line protocol over UDP");
  EXPECT_EQ(logged[1].sender, "127.0.0.1:1");
  EXPECT_EQ(logged[1].error.message, "unable to parse 'm,s=a t=\"open': unbalanced quotes");
  EXPECT_EQ(logged[0].line, 3U);
  EXPECT_EQ(logged[0].sender, "[::1]:3");
  EXPECT_TRUE(logged[0].error.message.starts_with("unable to parse 'bad'")) << logged[0].error.message;
  EXPECT_EQ(problem, "from 127.0.0.1:1: " + logged[1].error.message);
}

// An interval of a month, in milliseconds, is more than a poll takes.
TEST_F(UdpTest, AUdpIntervalOfAMonthWaitsForIt) {
  UdpListener listener({.listen = "127.0.0.1:0",
                        .database = "u",
                        .precision = "s",
                        .batch_bytes = 65'536,
                        .batch_ms = int64_t{30} * 86'400'000},
                       &writes_, &SystemClock::Get());
  const Result<uint16_t> port = listener.Start();
  ASSERT_TRUE(port.ok()) << port.error().message;
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(*port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (uint64_t sent = 1; sent <= 3; ++sent) {
    ASSERT_EQ(::sendto(socket, "m v=1", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 5);
    while (listener.counters().datagrams.load() < sent) std::this_thread::yield();
  }
  ::close(socket);
  EXPECT_EQ(listener.counters().batches.load(), 0U);
  listener.Stop();
  EXPECT_EQ(listener.counters().batches.load(), 1U);
}

TEST_F(UdpTest, WhatTheKernelDropsIsCounted) {
  // Nobody takes what comes before the listener starts, and there is room for little.
  const int inherited = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int small = 4'096;
  ASSERT_EQ(::setsockopt(inherited, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(inherited, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  socklen_t length = sizeof(to);
  ASSERT_EQ(::getsockname(inherited, reinterpret_cast<sockaddr*>(&to), &length), 0);
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  constexpr uint64_t kSent = 500;
  for (uint64_t i = 0; i < kSent; ++i) {
    ASSERT_EQ(::sendto(socket, "m v=1", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 5);
  }
  UdpListener listener({.listen = "127.0.0.1:0", .database = "u"}, &writes_, &SystemClock::Get());
  ASSERT_TRUE(listener.Start(inherited).ok());
  listener.Stop();
  ::close(socket);
  EXPECT_GT(listener.counters().dropped.load(), 0U);
  EXPECT_GT(listener.counters().datagrams.load(), 0U);
  EXPECT_EQ(listener.counters().dropped.load() + listener.counters().datagrams.load(), kSent);
}

TEST_F(UdpTest, UdpWritesInBatchesAndAtTheEnd) {
  UdpListener listener(
      {.listen = "127.0.0.1:0", .database = "u", .precision = "s", .batch_bytes = 65'536, .batch_ms = 1}, &writes_,
      &SystemClock::Get());
  const Result<uint16_t> port = listener.Start();
  ASSERT_TRUE(port.ok()) << port.error().message;
  const int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(*port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (const std::string_view text : {"m,a=b v=1 5\nm,a=c v=2 5", "bad line", "m,a=d v=3 5\n"}) {
    ASSERT_EQ(::sendto(socket, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)),
              static_cast<ssize_t>(text.size()));
  }
  ::close(socket);
  while (listener.counters().datagrams.load() < 3) std::this_thread::yield();
  listener.Stop();
  EXPECT_EQ(writes_.counters().points.load(), 3U);
  EXPECT_EQ(writes_.counters().lines_bad.load(), 1U);
  EXPECT_TRUE(store_.HasDatabase("u"));
}

}  // namespace
}  // namespace tidemark::server
