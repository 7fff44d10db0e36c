#include <gtest/gtest.h>

#include <string>

#include "ingest/native/series_key_check.h"
#include "storage/model/batch.h"
#include "tests/unit/ingest/native/batch_message.h"

namespace tidemark::native {
namespace {

std::string WhyNoKey(const std::string& key) {
  const auto checked = CheckKey(key, 65'535);
  return checked.ok() ? "" : checked.error().message;
}

TEST(NativeKeyTest, AKeyHasItsTagsInOrder) {
  EXPECT_EQ(*CheckKey(BatchMessage::Key("cpu", {}), 65'535), "cpu");
  EXPECT_EQ(*CheckKey(BatchMessage::Key("cpu", {{"a", "1"}, {"b", "2"}}), 65'535), "cpu");
  // What line protocol cannot say.
  EXPECT_EQ(*CheckKey(BatchMessage::Key("c\\", {{"a\n", "x\\"}}), 65'535), "c\\");
}

TEST(NativeKeyTest, WhatIsNoKeyIsToldWhy) {
  EXPECT_EQ(WhyNoKey(""), "the series key is cut short");
  EXPECT_EQ(WhyNoKey(std::string("\x05"
                                 "cpu")),
            "the series key is cut short");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("", {})), "missing measurement");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("\xff", {})), "the measurement is not valid UTF-8");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"", "v"}})), "missing tag key");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"a", ""}})), "the tag \"a\" has no value: leave it out");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"b", "1"}, {"a", "1"}})), "the tag \"a\" stands behind \"b\"");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"a", "1"}, {"a", "2"}})), "duplicate tag \"a\"");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"a", "\xc3"}})), "the value of the tag \"a\" is not valid UTF-8");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"\xc3", "a"}})), "a tag key is not valid UTF-8");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"__name__", "a"}})),
            "the tag __name__ is reserved for the metric's own name; give the tag another name");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key("m", {{"a", "1"}}) + "\x01"), "the series key is cut short");
  EXPECT_EQ(WhyNoKey(BatchMessage::Key(std::string(70'000, 'm'), {})), "max key length exceeded: 70003 > 65535");
}

TEST(NativeKeyTest, IsShownAsLineProtocolWritesIt) {
  EXPECT_EQ(PrintKey(BatchMessage::Key("cpu", {{"host", "a"}})), "cpu,host=a");
  EXPECT_EQ(PrintKey(BatchMessage::Key("c\x1b", {{"h", "\xff"}})), "c\\x1b,h=\\xff");
  EXPECT_EQ(PrintKey("\x05"
                     "ab"),
            "\\x05ab");
  EXPECT_LT(PrintKey(BatchMessage::Key(std::string(60'000, 'x'), {{"a", std::string(9'000, 'y')}})).size(), 600U);
}

TEST(NativeKeyTest, KnownKeysGrowAndStayRight) {
  KnownKeys known;
  size_t missing = 0;
  for (uint64_t i = 1; i <= 50'000; ++i) known.Add({i * 0x9E3779B97F4A7C15U, i});
  for (uint64_t i = 1; i <= 50'000; ++i) {
    if (!known.Has({i * 0x9E3779B97F4A7C15U, i})) ++missing;
    EXPECT_FALSE(known.Has({i * 0x9E3779B97F4A7C15U, i + 1}));
  }
  // Some may have taken the place of others.
  EXPECT_LT(missing, 25'000U);
}

}  // namespace
}  // namespace tidemark::native
