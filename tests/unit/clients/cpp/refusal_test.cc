#include "clients/cpp/refusal.h"

#include <gtest/gtest.h>

namespace tidemark::client {
namespace {

TEST(Refusal, APartialWriteNamesItsLines) {
  const Refusal refusal = ParseRefusal(
      R"({"error":"partial write: unable to parse 'm v=': missing field value dropped=3","data":[)"
      R"({"line_number":2,"column":5,"error_message":"missing field value","original_line":"m v="},)"
      R"( {"line_number" : 7 ,"new":[{"x":null},1.5e3],"error_message":"a\"b\u000a","original_line":"\\"} ] })");
  EXPECT_TRUE(refusal.partial);
  EXPECT_EQ(refusal.dropped, 3);
  ASSERT_EQ(refusal.lines.size(), 2);
  EXPECT_EQ(refusal.lines[0].number, 2);
  EXPECT_EQ(refusal.lines[0].column, 5);
  EXPECT_EQ(refusal.lines[0].reason, "missing field value");
  EXPECT_EQ(refusal.lines[0].line, "m v=");
  EXPECT_EQ(refusal.lines[1].number, 7);
  EXPECT_EQ(refusal.lines[1].column, 0);
  EXPECT_EQ(refusal.lines[1].reason, "a\"b\n");
  EXPECT_EQ(refusal.lines[1].line, "\\");
}

TEST(Refusal, AFullRefusalIsNotPartial) {
  const Refusal refusal = ParseRefusal(R"({"code":"invalid","message":"x","error":"unable to parse","data":[]})");
  EXPECT_FALSE(refusal.partial);
  EXPECT_EQ(refusal.text, "unable to parse");
}

TEST(Refusal, DroppedCountsAtLeastTheNamedLines) {
  EXPECT_EQ(ParseRefusal(R"({"error":"partial write: x","data":[{"line_number":1}]})").dropped, 1);
}

TEST(Refusal, AnythingElseIsText) {
  EXPECT_EQ(ParseRefusal("").text, "");
  EXPECT_EQ(ParseRefusal("Bad Gateway").text, "Bad Gateway");
  EXPECT_EQ(ParseRefusal(R"({"error":"cut off)").text, R"({"error":"cut off)");
  EXPECT_EQ(ParseRefusal(R"({"error":"x","data":[{"line_number":"no"}]})").lines.size(), 0);
  EXPECT_EQ(ParseRefusal(std::string(100'000, 'x')).text.size(), 2000);
  // Deeper than anything a server sends: refused, not a stack that overflows.
  EXPECT_FALSE(ParseRefusal(R"({"x":)" + std::string(1'000'000, '[')).partial);
  EXPECT_FALSE(ParseRefusal(R"({"error":"\u00)").partial);
}

}  // namespace
}  // namespace tidemark::client
