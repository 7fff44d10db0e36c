#include <gtest/gtest.h>

#include <string>

#include "storage/base/text/json_string.h"

namespace tidemark::text {
namespace {

std::string Json(std::string_view text, JsonStyle style) {
  std::string out = "x";
  AppendJsonString(&out, text, style);
  return out.substr(1);
}

constexpr JsonStyle kStyles[] = {JsonStyle::kPlain, JsonStyle::kHex, JsonStyle::kHexAll};

TEST(TextJsonString, WhatEveryStyleDoes) {
  for (const JsonStyle style : kStyles) {
    EXPECT_EQ(Json("", style), R"("")");
    EXPECT_EQ(Json("a b/c", style), R"("a b/c")");
    EXPECT_EQ(Json(R"(say "a\b")", style), R"("say \"a\\b\"")");
    EXPECT_EQ(Json(std::string_view("a\0b\x1f", 4), style), R"("a\u0000b\u001f")");
    EXPECT_EQ(Json("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9F", style), "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x9F\"");
    EXPECT_EQ(Json("\x80x\xC3", style), R"("\ufffdx\ufffd")");
    EXPECT_EQ(Json("\xED\xA0\x80", style), R"("\ufffd\ufffd\ufffd")");
  }
}

TEST(TextJsonString, WhereStylesDiffer) {
  EXPECT_EQ(Json("\n\r\t\x7F", JsonStyle::kPlain), "\"\\n\\r\\t\x7F\"");
  EXPECT_EQ(Json("\n\r\t\x7F", JsonStyle::kHex), "\"\\u000a\\u000d\\u0009\x7F\"");
  EXPECT_EQ(Json("\n\r\t\x7F", JsonStyle::kHexAll), R"("\u000a\u000d\u0009\u007f")");
}

TEST(TextJsonString, PlainIsTheOrdinaryOne) {
  std::string out;
  AppendJsonString(&out, "\n\x7F");
  EXPECT_EQ(out, "\"\\n\x7F\"");
}

}  // namespace
}  // namespace tidemark::text
