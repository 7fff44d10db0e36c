#include "ingest/remotewrite/labels.h"

#include <gtest/gtest.h>

namespace tidemark::remotewrite {
namespace {

TEST(LabelsTest, Utf8) {
  for (const std::string_view good : {"", "a", "12345678", "é", "12345678é", "\xed\x9f\xbf", "\xee\x80\x80",
                                      "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "12345678\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

TEST(LabelsTest, PrintingNeverCutsACharacter) {
  const std::string key("\x0a\x0c\x0a\x01\x61\x12\x07\xc3\xa9\xc3\xa9\xc3\xa9x", 14);
  for (size_t max = 0; max < 20; ++max) {
    const std::string text = PrintLabels(key, max);
    EXPECT_TRUE(IsUtf8(text));
    EXPECT_LE(text.size(), max + 3);
  }
  EXPECT_EQ(PrintLabels(key, 100), "{a=\"éééx\"}");
}

TEST(LabelsTest, PrintingTakesAnything) {
  EXPECT_EQ(PrintLabels("", 10), "{}");
  EXPECT_EQ(PrintLabels("\x0a\xff\xff\xff", 10), "{}");
}

}  // namespace
}  // namespace tidemark::remotewrite
