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

TEST(HttpClient, TheNextStepIsThatOfTheReason) {
  EXPECT_EQ(NextStep("cannot reach a:1: Connection refused"), "; is the server running?");
  EXPECT_EQ(NextStep("the certificate of a:1 is not believed: self-signed certificate"),
            "; --ca FILE believes it, where FILE has it or the authority that signed it");
  EXPECT_EQ(NextStep("the certificate of a:1 is not believed: certificate has expired"), "");
  EXPECT_EQ(NextStep("cannot reach a:1: wrong version number (SSL routines)"),
            "; an address that does not speak TLS begins with http://");
  EXPECT_EQ(NextStep("cannot reach a:1: Host not found (authoritative)"), "; is the name right?");
  EXPECT_EQ(NextStep("the request was cancelled"), "");
}

TEST(HttpClient, ARefusalIsToldInTheServersWords) {
  EXPECT_EQ(ReasonOf(R"({"status":"error","errorType":"bad_data","error":"may not admin here"})"),
            "may not admin here");
  EXPECT_EQ(ReasonOf("{\"error\":\"no right\"}\n"), "no right");
  EXPECT_EQ(ReasonOf("speaks TLS\n\n"), "speaks TLS");
  EXPECT_EQ(ReasonOf(""), "");
  EXPECT_EQ(ReasonOf("[1]"), "[1]");
  EXPECT_EQ(WordsOfRefusal(403, R"({"error":"no right"})"), "the server answered 403: no right");
  EXPECT_EQ(
      WordsOfRefusal(404, R"({"error":"database not found: \"x\""})"),
      "the server answered 404: database not found: \"x\"; `tidemark admin databases` lists those that there are");
}

TEST(HttpClient, QueryStringsAreEncoded) {
  EXPECT_EQ(QueryString({{"q", "a b&c=\xc3\xa9"}, {"empty", ""}, {"db", "x"}}), "?q=a%20b%26c%3D%C3%A9&db=x");
  EXPECT_EQ(QueryString({}), "");
}

}  // namespace
}  // namespace tidemark::cli
