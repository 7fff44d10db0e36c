#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

#include "clients/cpp/transport.h"

namespace tidemark::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::seconds;

// A loopback port whose connections the test handles byte by byte.
class Listener {
 public:
  Listener() : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  tcp::socket Accept() { return acceptor_.accept(); }
  // Reads a request of a known body from `socket`.
  static std::string Read(tcp::socket* socket, std::string_view last_bytes) {
    std::string text;
    boost::system::error_code error;
    asio::read_until(*socket, asio::dynamic_buffer(text), last_bytes, error);
    return text;
  }
  static void Answer(tcp::socket* socket, std::string_view bytes) {
    boost::system::error_code error;
    asio::write(*socket, asio::buffer(bytes.data(), bytes.size()), error);
  }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_;
};

std::unique_ptr<Transport> Open(const std::string& url) {
  auto transport = MakeHttpTransport(url, seconds(20));
  EXPECT_TRUE(transport.ok());
  return std::move(*transport);
}

TEST(HttpTransport, AddressesThatAreNone) {
  for (const char* const url : {"", "127.0.0.1:8086", "ftp://x", "https://", "http://", "http://:80",
                                "http://h:", "http://h:x", "http://h:70000", "http://h:123456"}) {
    const auto transport = MakeHttpTransport(url, seconds(1));
    ASSERT_FALSE(transport.ok()) << url;
    EXPECT_EQ(transport.error().code, ErrorCode::kInvalidArgument);
  }
  for (const char* const url : {"http://h", "https://h", "http://h:1/db/x/", "http://[::1]:8086", "http://[::1]"}) {
    EXPECT_TRUE(MakeHttpTransport(url, seconds(1)).ok()) << url;
  }
}

TEST(HttpTransport, AHeaderThatCannotBeReadLeavesTheStatus) {
  Listener listener;
  auto server = std::async(std::launch::async, [&] {
    for (const std::string_view reply :
         {"HTTP/1.1 400 Bad Request\r\nX-Influxdb-Error: a\x01z\r\n\r\n", "no HTTP\r\n\r\n"}) {
      tcp::socket socket = listener.Accept();
      Listener::Read(&socket, "BODY");
      Listener::Answer(&socket, reply);
    }
  });
  const auto transport = Open(listener.url());
  const auto refused = transport->Post({.target = "/write", .body = "BODY"});
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_EQ(refused->status, 400);
  EXPECT_NE(refused->body.find("cannot be read"), std::string::npos) << refused->body;
  // What has no status says nothing of the request.
  EXPECT_FALSE(transport->Post({.target = "/write", .body = "BODY"}).ok());
  server.get();
}

TEST(HttpTransport, SendsAndReads) {
  Listener listener;
  auto server = std::async(std::launch::async, [&] {
    tcp::socket socket = listener.Accept();
    std::string first = Listener::Read(&socket, "BODY1");
    Listener::Answer(&socket, "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nbusy");
    // On the same connection.
    Listener::Read(&socket, "BODY2");
    Listener::Answer(&socket, "HTTP/1.1 204 No Content\r\n\r\n");
    return first;
  });
  const auto transport = Open(listener.url() + "/db/x/");
  const auto busy = transport->Post({.target = "/write?a=b", .headers = {{"X-Id", "7"}}, .body = "BODY1"});
  ASSERT_TRUE(busy.ok()) << busy.error().message;
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(busy->retry_after, "3");
  EXPECT_EQ(busy->body, "busy");
  EXPECT_EQ(transport->Post({.target = "/", .body = "BODY2"})->status, 204);
  const std::string request = server.get();
  EXPECT_TRUE(request.starts_with("POST /db/x/write?a=b HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("X-Id: 7\r\n"), std::string::npos) << request;
  EXPECT_NE(request.find("Content-Length: 5\r\n"), std::string::npos) << request;
}

TEST(HttpTransport, AClosedConnectionIsOpenedAgain) {
  Listener listener;
  auto server = std::async(std::launch::async, [&] {
    for (int i = 0; i < 2; ++i) {
      tcp::socket socket = listener.Accept();
      Listener::Read(&socket, "BODY");
      Listener::Answer(&socket, "HTTP/1.1 204 No Content\r\n\r\n");
    }
  });
  const auto transport = Open(listener.url());
  for (int i = 0; i < 2; ++i) {
    const auto reply = transport->Post({.target = "/", .body = "BODY"});
    ASSERT_TRUE(reply.ok()) << reply.error().message;
    EXPECT_EQ(reply->status, 204);
  }
}

TEST(HttpTransport, ServersThatMisbehaveAreUnavailable) {
  Listener listener;
  for (const std::string answer :
       {"", "nonsense\r\n\r\n", "HTTP/1.1 204", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\nx"}) {
    auto server = std::async(std::launch::async, [&] {
      tcp::socket socket = listener.Accept();
      Listener::Read(&socket, "BODY");
      Listener::Answer(&socket, answer);
    });
    const auto reply = Open(listener.url())->Post({.target = "/", .body = "BODY"});
    ASSERT_FALSE(reply.ok()) << answer;
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  }
}

TEST(HttpTransport, ARefusedConnection) {
  // Port 1 of the loopback address has no listener.
  const auto reply = Open("http://127.0.0.1:1")->Post({.target = "/"});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(reply.error().message.find("127.0.0.1:1"), std::string::npos);
}

TEST(HttpTransport, CancelEndsAWait) {
  Listener listener;
  const auto transport = Open(listener.url());
  auto reply = std::async(std::launch::async, [&] { return transport->Post({.target = "/", .body = "BODY"}); });
  tcp::socket socket = listener.Accept();
  Listener::Read(&socket, "BODY");
  transport->Cancel();
  EXPECT_EQ(reply.get().error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(transport->Post({.target = "/"}).ok()) << "and each later one";
}

TEST(HttpTransport, ASilentServerTimesOut) {
  Listener listener;
  auto transport = MakeHttpTransport(listener.url(), std::chrono::milliseconds(20));
  const auto reply = (*transport)->Post({.target = "/", .body = "BODY"});
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::kTimeout);
}

TEST(HttpTransport, QueryStringsAreEncoded) { EXPECT_EQ(UrlEncode("a b&c=\xc3\xa9~"), "a%20b%26c%3D%C3%A9~"); }

}  // namespace
}  // namespace tidemark::client
