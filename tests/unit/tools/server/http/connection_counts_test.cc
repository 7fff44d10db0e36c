#include "tools/server/http/connection_counts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/tools/server/http/server_fixture.h"

namespace tidemark::http {
namespace {

TEST(ConnectionCountsTest, OneAddressCannotTakeAll) {
  ConnectionCounts counts(4, 0);
  std::vector<ConnectionCounts::Place> places;
  for (int i = 0; i < 2; ++i) places.push_back(*counts.Enter("10.0.0.1"));
  const Result<ConnectionCounts::Place> third = counts.Enter("10.0.0.1");
  ASSERT_FALSE(third.ok());
  EXPECT_NE(third.error().message.find("2 connections from 10.0.0.1"), std::string::npos) << third.error().message;
  EXPECT_NE(third.error().message.find("http.connections_per_address_max"), std::string::npos);
  for (const char* const address : {"10.0.0.2", "::1"}) places.push_back(*counts.Enter(address));
  const Result<ConnectionCounts::Place> fifth = counts.Enter("10.0.0.3");
  ASSERT_FALSE(fifth.ok());
  EXPECT_NE(fifth.error().message.find("(http.connections_max)"), std::string::npos) << fifth.error().message;
  places.erase(places.begin());
  EXPECT_TRUE(counts.Enter("10.0.0.1").ok());
}

// What the server sends by itself to somebody who says nothing, up to the end of the connection.
std::string BytesWithoutHandshake(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  std::string all;
  char bytes[1024];
  for (ssize_t got = 0; (got = ::recv(fd, bytes, sizeof(bytes), 0)) > 0;) all.append(bytes, static_cast<size_t>(got));
  ::close(fd);
  return all;
}

TEST_F(ServerTest, TellsWhyAConnectionIsRefused) {
  ServerOptions options;
  options.connections_max = 10;
  options.connections_per_address_max = 2;
  Start(options);
  RawClient first(port_);
  RawClient second(port_);
  first.Send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  second.Send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(first.ReadReply().ends_with("pong"));
  EXPECT_TRUE(second.ReadReply().ends_with("pong"));
  if (RawClient::kEncrypted) {
    // What is not encrypted is nothing to somebody who waits for a handshake.
    EXPECT_EQ(BytesWithoutHandshake(port_), "");
  } else {
    RawClient third(port_);
    const std::string reply = third.ReadAll();
    EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
    EXPECT_NE(reply.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_NE(reply.find("2 connections from 127.0.0.1"), std::string::npos) << reply;
  }
  EXPECT_EQ(server_->counters().connections_refused, 1U);
  EXPECT_EQ(server_->counters().connections_open, 2U);
}

}  // namespace
}  // namespace tidemark::http
