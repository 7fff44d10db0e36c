#include "ingest/lineprotocol/number.h"

#include <gtest/gtest.h>

#include <charconv>
#include <random>
#include <string>

#include "storage/model/batch.h"

namespace tidemark::lineprotocol {
namespace {

using model::FieldType;
using model::kBinaryScale;

struct Decimal {
  std::string text;
  int64_t mantissa;
  int scale;
};

TEST(Number, FloatsThatFitAreDecimals) {
  for (const Decimal& d : {Decimal{"1", 1, 0},
                           {"1.", 1, 0},
                           {".5", 5, 1},
                           {"58.13", 5813, 2},
                           {"-58.13", -5813, 2},
                           {"1.50", 150, 2},
                           {"000.250", 250, 3},
                           {"0", 0, 0},
                           {"0.00", 0, 2},
                           {"1e3", 1000, 0},
                           {"1.5e3", 1500, 0},
                           {"1.5E-3", 15, 4},
                           {"1e+2", 100, 0},
                           {"12e-22", 12, 22},
                           {"0e99", 0, 0},
                           {"9007199254740991", 9007199254740991, 0},
                           {"-900719925474099.1", -9007199254740991, 1},
                           {"1e15", 1000000000000000, 0},
                           {"0.0000000000000000000001", 1, 22}}) {
    const Number number = ParseNumber(d.text);
    EXPECT_EQ(number.error, NumberError::kNone) << d.text;
    EXPECT_EQ(number.type, FieldType::kFloat) << d.text;
    EXPECT_EQ(number.value, d.mantissa) << d.text;
    EXPECT_EQ(number.scale, d.scale) << d.text;
  }
}

TEST(Number, OtherFloatsAreTheNearestDouble) {
  for (const auto& [text, value] : {std::pair<std::string, double>{"9007199254740992", 9007199254740992.0},
                                    {"9007199254740993", 9007199254740992.0},
                                    {"1e16", 1e16},
                                    {"1e22", 1e22},
                                    {"1e-23", 1e-23},
                                    {"0.00000000000000000000001", 1e-23},
                                    {"123456789012345678901234567890", 123456789012345678901234567890.0},
                                    {"1.7976931348623157e308", 1.7976931348623157e308},
                                    {"5e-324", 5e-324},
                                    {"1e-400", 0.0},
                                    {"-0", -0.0},
                                    {"-0.00e5", -0.0},
                                    {"0e-99", 0.0},
                                    {"-1e-400", -0.0},
                                    {"1e-99999999999999999999", 0.0}}) {
    const Number number = ParseNumber(text);
    EXPECT_EQ(number.error, NumberError::kNone) << text;
    EXPECT_EQ(number.scale, kBinaryScale) << text;
    EXPECT_EQ(number.value, std::bit_cast<int64_t>(value)) << text;
  }
}

TEST(Number, DecimalsAndNearestDoublesAgree) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = std::to_string(random() >> (random() % 64));
    text.insert(random() % (text.size() + 1), ".");
    if (random() % 3 == 0) text += "e" + std::to_string(static_cast<int>(random() % 60) - 30);
    if (random() % 2 == 0) text.insert(0, "-");
    double nearest = 0;
    ASSERT_EQ(std::from_chars(text.data(), text.data() + text.size(), nearest).ec, std::errc()) << text;
    const Number number = ParseNumber(text);
    ASSERT_EQ(number.error, NumberError::kNone) << text;
    ASSERT_EQ(std::bit_cast<int64_t>(model::FloatOf(number.value, number.scale)), std::bit_cast<int64_t>(nearest))
        << text;
  }
}

TEST(Number, Integers) {
  EXPECT_EQ(ParseNumber("0i").value, 0);
  EXPECT_EQ(ParseNumber("-0i").value, 0);
  EXPECT_EQ(ParseNumber("-0i").type, FieldType::kInt);
  EXPECT_EQ(ParseNumber("9223372036854775807i").value, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseNumber("-0009223372036854775808i").value, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(ParseNumber("18446744073709551615u").value, -1);
  EXPECT_EQ(ParseNumber("18446744073709551615u").type, FieldType::kUInt);
  EXPECT_EQ(ParseNumber("9223372036854775808i").error, NumberError::kIntRange);
  EXPECT_EQ(ParseNumber("-9223372036854775809i").error, NumberError::kIntRange);
  EXPECT_EQ(ParseNumber("99999999999999999999999i").error, NumberError::kIntRange);
  EXPECT_EQ(ParseNumber("18446744073709551616u").error, NumberError::kUIntRange);
}

TEST(Number, WhatIsNone) {
  for (const char* text :
       {"",    "-",  ".",    "-.", "i",    "-i",    "u",     "-1u",  "1.5i", "1e5i", "9i10",  "1.1.1", "0.-1", "1-",
        "--1", "+1", "42+3", "1a", "0x10", "0x1p3", "1_000", "-e-e", "-inf", "-nan", "1e5.5", "1e+x",  "e5"}) {
    EXPECT_EQ(ParseNumber(text).error, NumberError::kInvalidNumber) << text;
  }
  for (const char* text : {"1e", "1e+", "1.e-", "1e309", "-1e400", "1e99999999999999999999", "0.1e310"}) {
    EXPECT_EQ(ParseNumber(text).error, NumberError::kInvalidFloat) << text;
  }
}

TEST(Number, EightDigitsAtATime) {
  for (const auto& [text, count, value] : {std::tuple<std::string, unsigned, uint64_t>{"1i,bcdef", 1, 1},
                                           {"1234567i", 7, 1234567},
                                           {"00000009", 8, 9},
                                           {"98765432", 8, 98765432},
                                           {"/1234567", 0, 0},
                                           {":1234567", 0, 0},
                                           {"12\xff\xff\xff\xff\xff\xff", 2, 12}}) {
    const uint64_t chunk = LoadChunk(text.data());
    const uint64_t others = NonDigits(chunk);
    ASSERT_EQ(others == 0 ? 8 : LeadingDigits(others), count) << text;
    if (count > 0) {
      EXPECT_EQ(DigitsValue(chunk, count), value) << text;
    }
  }
}

}  // namespace
}  // namespace tidemark::lineprotocol
