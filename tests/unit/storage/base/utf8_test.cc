#include "storage/base/utf8.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(Utf8, WellFormedAndNot) {
  for (const std::string_view good :
       {"", "a", "12345678", "plain ascii of some length", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBD", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
    if (!good.empty() && good.size() <= 4) {
      EXPECT_EQ(Utf8Length(good), good.size()) << good;
    }
  }
  for (const std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80", "\xE2\x28\xA1",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xF1\x80\x80\x41"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
    EXPECT_EQ(Utf8Length(bad), 0U) << bad;
    EXPECT_FALSE(IsUtf8("12345678" + std::string(bad))) << bad;
    EXPECT_FALSE(IsUtf8(std::string(bad) + "12345678")) << bad;
  }
  EXPECT_TRUE(IsUtf8(std::string_view("\0", 1)));
  EXPECT_EQ(Utf8Length(""), 0U);
}

TEST(Utf8, CutKeepsCharactersWhole) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abcd", 3), "abc");
  EXPECT_EQ(CutUtf8("ab\xC3\xA9", 3), "ab");
  EXPECT_EQ(CutUtf8("a\xF0\x9F\x98\x80z", 4), "a");
  EXPECT_EQ(CutUtf8("a\xF0\x9F\x98\x80z", 5), "a\xF0\x9F\x98\x80");
  EXPECT_EQ(CutUtf8("\x80\x80\x80\x80\x80\x80", 5).size(), 2U);
  EXPECT_EQ(CutUtf8("\xC3\xA9", 0), "");
}

TEST(Utf8, PrefixEndsAtTheFirstBadByte) {
  EXPECT_EQ(Utf8Prefix(""), 0U);
  EXPECT_EQ(Utf8Prefix("12345678\xC3\xA9"), 10U);
  EXPECT_EQ(Utf8Prefix("12345678\xC3"), 8U);
  EXPECT_EQ(Utf8Prefix("\xFF"), 0U);
}

TEST(Utf8, BadBytesBecomeTheReplacementCharacter) {
  EXPECT_EQ(ToUtf8(""), "");
  EXPECT_EQ(ToUtf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(ToUtf8("\xC3"), "\uFFFD");
  EXPECT_EQ(ToUtf8("12345678\xFFx\x80\x80\xC3\xA9\xC3"), "12345678\uFFFDx\uFFFD\uFFFD\xC3\xA9\uFFFD");
}

}  // namespace
}  // namespace tidemark
