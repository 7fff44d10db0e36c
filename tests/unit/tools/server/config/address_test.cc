// Where the server is found, by both settings together.
#include "tools/server/config/address.h"

#include <gtest/gtest.h>

#include <string>

namespace tidemark::server {
namespace {

Address Of(const std::string& url, const std::string& prefix) {
  Config config;
  config.external_url = url;
  config.route_prefix = prefix;
  Result<Address> address = AddressOf(config);
  EXPECT_TRUE(address.ok()) << url << " " << prefix << ": " << address.error().message;
  return std::move(address).value();
}

TEST(AddressOf, IsThatOfPrometheus) {
  struct Case {
    std::string url, prefix;                          // settings
    std::string external_url, external_path, routes;  // what comes of them
  };
  const Case cases[] = {
      {"", "", "http://127.0.0.1:8086", "", ""},
      {"", "/tm", "http://127.0.0.1:8086/tm", "/tm", "/tm"},
      {"", "/", "http://127.0.0.1:8086", "", ""},
      {"https://m.example", "", "https://m.example", "", ""},
      {"https://m.example/", "", "https://m.example", "", ""},
      {"https://m.example:444/tm/a//", "", "https://m.example:444/tm/a", "/tm/a", "/tm/a"},
      // The proxy takes its path off, or has another one.
      {"https://m.example/tm", "/", "https://m.example/tm", "/tm", ""},
      {"https://m.example/tm", "in/", "https://m.example/tm", "/tm", "/in"},
      {"https://m.example", "/in", "https://m.example", "", "/in"},
  };
  for (const Case& one : cases) {
    const Address address = Of(one.url, one.prefix);
    EXPECT_EQ(address.external_url, one.external_url) << one.url << " " << one.prefix;
    EXPECT_EQ(address.external_path, one.external_path) << one.url << " " << one.prefix;
    EXPECT_EQ(address.route_prefix, one.routes) << one.url << " " << one.prefix;
  }
  EXPECT_EQ(Of("https://m.example:444/tm", "").host, "m.example");
  EXPECT_EQ(Of("https://m.example:444/tm", "").origin, "https://m.example:444");
  EXPECT_EQ(Of("http://[2001:db8::1]:9/tm", "").host, "[2001:db8::1]");
  EXPECT_EQ(Of("", "/tm").host, "");
}

TEST(AddressOf, RefusesWhatIsNoUrlAndNoPath) {
  for (const char* const url :
       {"m.example", "ftp://m.example", "http://", "http:///x", "https://u:p@m.example", "/tm", "http://m.example/a b",
        "http://m.example?x=1", "http://m.example/#a", "\"http://m\"", "http://:80", "http://m.example/a\nb"}) {
    EXPECT_FALSE(ParseExternalUrl(url).ok()) << url;
  }
  for (const char* const prefix : {"/a b", "/a//b", "/a%20b", "/a?b", "/a\"b"}) {
    EXPECT_FALSE(ParseRoutePrefix(prefix).ok()) << prefix;
  }
}

}  // namespace
}  // namespace tidemark::server
