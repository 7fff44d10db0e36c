// Frames of doubles: bit for bit, decimals found or not.
#include "storage/codec/doubles/floats.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/model/batch.h"

namespace tidemark::codec {
namespace {

using model::kBinaryScale;

std::vector<uint64_t> BitsOf(const std::vector<double>& values) {
  std::vector<uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
  return bits;
}

std::vector<double> Decode(std::string_view frame, size_t count, RowRange rows) {
  std::vector<int64_t> ints;
  std::vector<double> floats;
  const auto decoded = DecodeFloats(frame, count, rows, &ints, &floats);
  EXPECT_TRUE(decoded.ok());
  if (!decoded.ok()) return {};
  EXPECT_EQ(decoded->bytes, frame.size());
  std::vector<double> out;
  for (size_t i = 0; i < rows.end - rows.begin; ++i) {
    out.push_back(decoded->scale == kBinaryScale ? floats[i] : model::FloatOf(ints[i], decoded->scale));
  }
  return out;
}

void ExpectBack(const std::vector<double>& values, uint8_t hint, uint8_t expected_scale) {
  std::string frame;
  EXPECT_EQ(EncodeFloats(values, hint, &frame).scale, expected_scale);
  EXPECT_EQ(FloatScaleOf(frame), expected_scale);
  EXPECT_EQ(BitsOf(Decode(frame, values.size(), {0, values.size()})), BitsOf(values));
  const size_t middle = values.size() / 2;
  EXPECT_EQ(BitsOf(Decode(frame, values.size(), {middle, values.size()})),
            BitsOf({values.begin() + static_cast<long>(middle), values.end()}));
}

TEST(Floats, FindsTheScale) {
  ExpectBack({1.5, 2.25, 3.0}, kBinaryScale, 2);
  ExpectBack({1, 2, 3}, kBinaryScale, 0);
  ExpectBack({0.001, 123.456, -7.5}, 3, 3);
  ExpectBack({1e-15, 2e-15}, kBinaryScale, 15);
}

TEST(Floats, AHintThatIsTooLargeIsReduced) { ExpectBack({1.5, 2.5, 3.5}, 4, 1); }

TEST(Floats, AWrongHintDoesNoHarm) { ExpectBack({1.234, 5.678, 9.876}, 1, 3); }

TEST(Floats, FreeDoublesStayBits) {
  std::mt19937_64 random(5);
  std::vector<double> values;
  for (int i = 0; i < 500; ++i) values.push_back(std::bit_cast<double>(random()));
  ExpectBack(values, kBinaryScale, kBinaryScale);
  std::string frame;
  EncodeFloats(values, 2, &frame);
  EXPECT_LE(frame.size(), 500u * 8 + 8);
}

TEST(Floats, WhatIsNoDecimalIsPatched) {
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) values.push_back(i / 4.0);
  values[3] = -0.0;
  values[50] = std::numeric_limits<double>::quiet_NaN();
  values[51] = std::bit_cast<double>(0x7ff0000000000002);
  values[120] = -std::numeric_limits<double>::infinity();
  values[199] = 1.0 / 3;
  ExpectBack(values, kBinaryScale, 2);
  ExpectBack(values, 2, 2);
  std::string frame;
  EncodeFloats(values, 2, &frame);
  EXPECT_LT(frame.size(), 400u);
  std::vector<int64_t> ints;
  std::vector<double> floats;
  const auto clean = DecodeFloats(frame, 200, {52, 120}, &ints, &floats);
  ASSERT_TRUE(clean.ok());
  EXPECT_EQ(clean->scale, 2);
  const auto patched = DecodeFloats(frame, 200, {52, 121}, &ints, &floats);
  ASSERT_TRUE(patched.ok());
  EXPECT_EQ(patched->scale, kBinaryScale);
}

TEST(Floats, NothingButNan) {
  ExpectBack(std::vector<double>(40, std::bit_cast<double>(0x7ff0000000000002)), 2, kBinaryScale);
  ExpectBack({std::numeric_limits<double>::quiet_NaN()}, kBinaryScale, kBinaryScale);
  ExpectBack({-0.0}, 0, kBinaryScale);
}

TEST(Floats, MantissasStayBelow2To53) {
  int64_t mantissa = 0;
  EXPECT_TRUE(MantissaOf(9007199254740991.0, 0, &mantissa));
  EXPECT_EQ(mantissa, 9007199254740991);
  EXPECT_FALSE(MantissaOf(9007199254740992.0, 0, &mantissa));
  EXPECT_FALSE(MantissaOf(-0.0, 0, &mantissa));
  EXPECT_FALSE(MantissaOf(1e308, 22, &mantissa));
  EXPECT_FALSE(MantissaOf(5e-324, 22, &mantissa));
}

TEST(Floats, DecimalsWithZerosAtTheirEndsGetASmallerScale) {
  const std::vector<int64_t> mantissas = {100, 250, -50};
  std::string frame;
  EXPECT_EQ(EncodeDecimals(mantissas, 2, &frame).scale, 1);
  EXPECT_EQ(Decode(frame, 3, {0, 3}), (std::vector<double>{1.0, 2.5, -0.5}));
  frame.clear();
  EXPECT_EQ(EncodeDecimals(std::vector<int64_t>{0, 0}, 5, &frame).scale, 0);
}

TEST(Floats, TextDecimalsAreFoundAgain) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const auto scale = static_cast<uint8_t>(random() % 16);
    std::vector<int64_t> mantissas;
    std::vector<double> values;
    for (uint64_t i = 0; i < 1 + random() % 300; ++i) {
      mantissas.push_back(static_cast<int64_t>(random() % 2'000'000'000'001) - 1'000'000'000'000);
      values.push_back(model::FloatOf(mantissas.back(), scale));
    }
    std::string frame;
    EXPECT_LE(EncodeFloats(values, kBinaryScale, &frame).scale, scale);
    EXPECT_EQ(BitsOf(Decode(frame, values.size(), {0, values.size()})), BitsOf(values));
  }
}

TEST(Floats, DamagedBytesGiveAnErrorOrValues) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) values.push_back(i % 30 == 7 ? std::bit_cast<double>(random()) : i / 8.0);
  std::string good;
  EncodeFloats(values, kBinaryScale, &good);
  size_t refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = good.substr(0, random() % 2 == 0 ? good.size() : random() % good.size());
    if (!damaged.empty()) damaged[random() % damaged.size()] = static_cast<char>(random());
    const std::vector<char> exact(damaged.begin(), damaged.end());
    std::vector<int64_t> ints;
    std::vector<double> floats;
    if (!DecodeFloats({exact.data(), exact.size()}, values.size(), {5, 290}, &ints, &floats).ok()) ++refused;
  }
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace tidemark::codec
