#include "tools/cli/http_client.h"

#include <gtest/gtest.h>

namespace tidemark::cli {
namespace {

TEST(HttpClient, AddressesThatAreNone) {
  for (const char* const url : {"127.0.0.1:8086", "ftp://x", "https://", "http://", "http://:80", "http://host:"}) {
    EXPECT_FALSE(HttpClient::Create(url).ok()) << url;
  }
  EXPECT_TRUE(HttpClient::Create("http://localhost/db/x/").ok());
  EXPECT_TRUE(HttpClient::Create("http://[::1]:8086").ok());
}

TEST(HttpClient, ARefusedConnectionSaysWhatToDo) {
  // Port 1 of the loopback address has no listener.
  const auto reply = (*HttpClient::Create("http://127.0.0.1:1"))->Send("GET", "/", {}, "");
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(reply.error().message.find("is the server running?"), std::string::npos);
}

TEST(HttpClient, QueryStringsAreEncoded) {
  EXPECT_EQ(QueryString({{"q", "a b&c=\xc3\xa9"}, {"empty", ""}, {"db", "x"}}), "?q=a%20b%26c%3D%C3%A9&db=x");
  EXPECT_EQ(QueryString({}), "");
}

}  // namespace
}  // namespace tidemark::cli
