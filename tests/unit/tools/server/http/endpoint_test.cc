// By what a server is asked: names and addresses, and what is none.
#include "tools/server/http/endpoint.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/unit/tools/server/http/server_fixture.h"

namespace tidemark::http {
namespace {

TEST(IsLoopbackHost, KnowsNamesAndAddresses) {
  for (const char* host : {"localhost", "LOCALHOST", "db.localhost", "localhost.", "127.0.0.1", "127.1.2.3", "[::1]",
                           "::1", "127.1", "::ffff:127.0.0.1", "[0:0:0:0:0:0:0:1]"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"evillocalhost", "127.evil.example", "10.0.0.1", "", "localhost.evil", "[localhost]",
                           "::", "localhost:80", "user@localhost", "127.0.0.1.evil", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

TEST(ParseAuthorityTest, TakesWhatAClientIsAskedBy) {
  using Kind = Authority::Kind;
  struct Case {
    std::string_view text;
    Kind kind;
    std::string_view host;
    std::optional<uint16_t> port;
    bool rooted;
  };
  for (const Case& one : {Case{"Metrics.Example", Kind::kName, "metrics.example", {}, false},
                          Case{"metrics.example.:8086", Kind::kName, "metrics.example", 8086, true},
                          Case{"a_b-c~1.x:", Kind::kName, "a_b-c~1.x", {}, false}, Case{"", Kind::kName, "", {}, false},
                          Case{"192.0.2.1:65535", Kind::kIpv4, "192.0.2.1", 65535, false},
                          Case{"0x7f000001", Kind::kIpv4, "127.0.0.1", {}, false},
                          Case{"127.0.0.1.", Kind::kIpv4, "127.0.0.1", {}, false},
                          Case{"[2001:DB8:0:0::1]:0", Kind::kIpv6, "2001:db8::1", 0, false},
                          Case{"[fe80::1%25eth0]", Kind::kIpv6, "fe80::1", {}, false},
                          Case{"[fe80::1%eth0]:80", Kind::kIpv6, "fe80::1", 80, false}}) {
    const Result<Authority> got = ParseAuthority(one.text);
    ASSERT_TRUE(got.ok()) << one.text << ": " << got.error().message;
    EXPECT_EQ(got->kind, one.kind) << one.text;
    EXPECT_EQ(got->host, one.host) << one.text;
    EXPECT_EQ(got->port, one.port) << one.text;
    EXPECT_EQ(got->rooted, one.rooted) << one.text;
  }
}

TEST(ParseAuthorityTest, RefusesWhatIsNone) {
  for (const std::string_view text : {"[evil.example]",
                                      "[127.0.0.1]",
                                      "[]",
                                      "[::1",
                                      "::1",
                                      "[::1]x",
                                      "[::1%]",
                                      "user@localhost",
                                      "user:pass@localhost",
                                      "localhost:http",
                                      "localhost:65536",
                                      "localhost:-1",
                                      "localhost:80:80",
                                      "localhost: 80",
                                      ":80",
                                      "a..b",
                                      ".a",
                                      ".",
                                      "a, b",
                                      "a/b",
                                      "a?b",
                                      "a#b",
                                      "a\\b",
                                      "a%2eb",
                                      "256.1.1.1",
                                      "1.2.3.4.5",
                                      "h\xc3\xb6st"}) {
    EXPECT_FALSE(ParseAuthority(text).ok()) << text;
  }
  EXPECT_FALSE(ParseAuthority(std::string(254, 'a')).ok());
}

using HostTest = ServerTest;

TEST_F(HostTest, AMalformedHostIsRefusedWhereverItStands) {
  Start();
  for (const std::string_view head :
       {"GET /ping HTTP/1.1\r\nHost: [evil.example]\r\n\r\n", "GET /ping HTTP/1.1\r\nHost: me@localhost\r\n\r\n",
        "GET http://me@localhost/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET http:///ping HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://localhost/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    EXPECT_TRUE(Ask(std::string(head)).starts_with("HTTP/1.1 400 ")) << head;
  }
  EXPECT_TRUE(Ask("GET HTTP://localhost/ping HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200 "));
  // A page is of the server's own origin by what the target names, and with the ports that are left out.
  const auto post = [](std::string_view target, std::string_view origin, std::string_view host) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nContent-Length: 1\r\n\r\nx", target, host,
                       origin);
  };
  EXPECT_TRUE(Ask(post("/echo", "http://LOCALHOST", "localhost:80")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(post("http://localhost:1/echo", "http://localhost:1", "evil.example")).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Ask(post("http://evil.example/echo", "http://localhost", "localhost")).starts_with("HTTP/1.1 403 "));
}

}  // namespace
}  // namespace tidemark::http
