// Frames of strings: plain, by dictionary, compressed or not.
#include "storage/codec/strings.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "storage/codec/codec_id.h"

namespace tidemark::codec {
namespace {

void ExpectBack(const std::vector<std::string>& values, CodecId expected, bool in_place) {
  const std::vector<std::string_view> views(values.begin(), values.end());
  std::string frame;
  EncodeStrings(views, &frame);
  EXPECT_EQ(CodecId{static_cast<uint8_t>(frame[0])}, expected);
  std::vector<std::string_view> out;
  std::vector<char> text;
  const auto used = DecodeStrings(frame, values.size(), {0, values.size()}, &out, &text);
  ASSERT_TRUE(used.ok()) << used.error().message;
  EXPECT_EQ(*used, frame.size());
  EXPECT_EQ(std::vector<std::string>(out.begin(), out.end()), values);
  EXPECT_EQ(text.empty(), in_place);
  const size_t begin = values.size() / 3;
  const size_t end = values.size() - begin / 2;
  std::vector<std::string_view> part;
  ASSERT_TRUE(DecodeStrings(frame, values.size(), {begin, end}, &part, &text).ok());
  for (size_t i = begin; i < end; ++i) EXPECT_EQ(part[i - begin], values[i]);
}

TEST(Strings, ShortOnesStayInPlace) {
  ExpectBack({"a", "", std::string("\0\n", 2), "long enough"}, CodecId::kStrings, true);
}

TEST(Strings, RepeatedOnesGetADictionary) {
  std::vector<std::string> values;
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) values.push_back(std::array{"passing", "critical", "warning"}[random() % 3]);
  ExpectBack(values, CodecId::kDictionary, true);
}

TEST(Strings, SimilarOnesAreCompressed) {
  std::vector<std::string> values;
  for (int i = 0; i < 300; ++i) values.push_back("connection from 10.0.0." + std::to_string(i) + " refused");
  ExpectBack(values, CodecId::kStrings, false);
  std::vector<std::string> repeated;
  for (int i = 0; i < 900; ++i) repeated.push_back(values[static_cast<size_t>(i) % 300]);
  ExpectBack(repeated, CodecId::kDictionary, false);
}

TEST(Strings, AllEmpty) { ExpectBack(std::vector<std::string>(100), CodecId::kStrings, true); }

TEST(Strings, DamagedBytesGiveAnErrorOrStringsOfTheFrame) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t refused = 0;
  for (const int distinct : {3, 200}) {
    std::vector<std::string> values;
    for (int i = 0; i < 200; ++i) values.push_back("state number " + std::to_string(i % distinct) + " of them");
    const std::vector<std::string_view> views(values.begin(), values.end());
    std::string good;
    EncodeStrings(views, &good);
    for (int round = 0; round < 2000; ++round) {
      std::string damaged = good.substr(0, random() % 2 == 0 ? good.size() : random() % good.size());
      if (!damaged.empty()) damaged[random() % damaged.size()] = static_cast<char>(random());
      const std::vector<char> exact(damaged.begin(), damaged.end());
      std::vector<std::string_view> out;
      std::vector<char> text;
      if (!DecodeStrings({exact.data(), exact.size()}, 200, {10, 200}, &out, &text).ok()) {
        ++refused;
        continue;
      }
      size_t bytes = 0;  // touches every byte, for the address sanitizer
      for (size_t i = 0; i < 190; ++i) {
        for (const char byte : out[i]) bytes += byte != 0 ? 1 : 0;
      }
      EXPECT_LE(bytes, kMaxCompressedText * 190);
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(Strings, CompressedTextIsBounded) {
  // A frame that claims 1 TiB of text behind 3 stored bytes.
  const std::string claim("\x10\x01\x02\x80\x80\x80\x80\x80\x20\x03xyz", 13);
  std::vector<std::string_view> out;
  std::vector<char> text;
  const auto used = DecodeStrings(claim, 1, {0, 1}, &out, &text);
  ASSERT_FALSE(used.ok());
  EXPECT_EQ(used.error().code, ErrorCode::kCorruption);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace tidemark::codec
