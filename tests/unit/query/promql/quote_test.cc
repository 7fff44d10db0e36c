#include "query/promql/quote.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include "storage/base/utf8.h"

namespace tidemark::query::promql {
namespace {

TEST(Quote, EscapesWhatCannotBeShown) {
  EXPECT_EQ(Quote("plain"), R"("plain")");
  EXPECT_EQ(Quote("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(Quote("\a\b\f\n\r\t\v"), R"("\a\b\f\n\r\t\v")");
  EXPECT_EQ(Quote("it's"), R"("it's")");
  EXPECT_EQ(Quote(std::string_view("\0\x1f\x7f", 3)), R"("\x00\x1f\x7f")");
  EXPECT_EQ(Quote("naïve 日本 😀"), "\"naïve 日本 😀\"");
  EXPECT_EQ(Quote("\xff\xc3("), R"("\xff\xc3(")");
  EXPECT_EQ(Quote("\u200b\u00a0\ufeff"), R"("\u200b\u00a0\ufeff")");
  EXPECT_EQ(Quote("\U000e0001"), R"("\U000e0001")");
}

TEST(Quote, ShortensByCharacters) {
  EXPECT_EQ(QuoteShortened("0123456789", 10), R"("0123456789")");
  EXPECT_EQ(QuoteShortened("0123456789a", 10), R"("0123456789"...)");
  EXPECT_EQ(QuoteShortened("ääääää", 10), R"("ääääää"...)");
}

TEST(Quote, Runes) {
  EXPECT_EQ(QuoteRune('x'), "'x'");
  EXPECT_EQ(QuoteRune('\''), "'\\''");
  EXPECT_EQ(QuoteRune('"'), "'\"'");
  EXPECT_EQ(QuoteRune('\n'), "'\\n'");
  EXPECT_EQ(DescribeRune('c'), "U+0063 'c'");
  EXPECT_EQ(DescribeRune('\n'), "U+000A");
  EXPECT_EQ(DescribeRune(0x1F600), "U+1F600 '😀'");
}

TEST(Quote, DecodesOnlyProperUtf8) {
  EXPECT_EQ(DecodeRune("é").value, 0xE9u);
  EXPECT_EQ(DecodeRune("😀").size, 4u);
  EXPECT_EQ(DecodeRune("").size, 0u);
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                     "\xf4\x90\x80\x80", "\xf8", "\xe2\x82"}) {
    EXPECT_EQ(DecodeRune(bad).value, kRuneError);
    EXPECT_EQ(DecodeRune(bad).size, 1u);
    EXPECT_FALSE(IsUtf8(bad));
  }
  EXPECT_TRUE(IsUtf8("\ufffd"));
}

TEST(Quote, UnquoteUndoesEveryEscape) {
  EXPECT_EQ(Unquote(R"("\a\b\f\n\r\t\v\\\"\x41\101\u00e9\U0001F600")"), "\a\b\f\n\r\t\v\\\"AAé😀");
  EXPECT_EQ(Unquote("`\\n`"), "\\n");
  EXPECT_EQ(Unquote("'\\''"), "'");
  EXPECT_EQ(Unquote("''"), "");
}

TEST(Quote, RandomBytesComeBack) {
  std::random_device device;
  const auto seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    ASSERT_EQ(Unquote(Quote(bytes)), bytes);
    ASSERT_TRUE(IsUtf8(Quote(bytes)));
  }
}

TEST(Quote, PlainLabelNames) {
  EXPECT_TRUE(IsPlainLabelName("_a9"));
  EXPECT_FALSE(IsPlainLabelName(""));
  EXPECT_FALSE(IsPlainLabelName("9a"));
  EXPECT_FALSE(IsPlainLabelName("a.b"));
  EXPECT_FALSE(IsPlainLabelName("a:b"));
  EXPECT_FALSE(IsPlainLabelName("é"));
}

}  // namespace
}  // namespace tidemark::query::promql
