#include "query/api/json.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace tidemark::query::api {
namespace {

std::string Float(double value) {
  std::string out;
  AppendFloat(&out, value);
  return out;
}
std::string Time(int64_t ms) {
  std::string out;
  AppendTimestampMs(&out, ms);
  return out;
}
std::string Text(std::string_view text) {
  std::string out;
  AppendJsonString(&out, text);
  return out;
}

TEST(AppendFloat, PrintsAsPrometheus) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-42, "-42"},
      {0.1, "0.1"},
      {58.1, "58.1"},
      {1e-6, "0.000001"},
      {9.9e-7, "9.9e-07"},
      {1e-300, "1e-300"},
      {9007199254740993.0, "9007199254740992"},
      {1e15, "1000000000000000"},
      {1.5e17, "150000000000000000"},
      {1e20, "100000000000000000000"},
      {1.2345678901234567e20, "123456789012345670000"},
      {999999999999999900000.0, "999999999999999900000"},
      {1e21, "1e+21"},
      {-1.5e22, "-1.5e+22"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {5e-324, "5e-324"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN"},
      {0.30000000000000004, "0.30000000000000004"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(Float(value), text);
}

TEST(AppendFloat, ReadsBackAsTheSameDouble) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string text = Float(value);
    double back = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(error, std::errc()) << text;
    ASSERT_EQ(end, text.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<uint64_t>(back), std::bit_cast<uint64_t>(value)) << text;
  }
}

TEST(AppendTimestampMs, HasThreeDigitsOrNone) {
  EXPECT_EQ(Time(0), "0");
  EXPECT_EQ(Time(1'700'000'000'000), "1700000000");
  EXPECT_EQ(Time(1'700'000'000'005), "1700000000.005");
  EXPECT_EQ(Time(1'700'000'000'500), "1700000000.500");
  EXPECT_EQ(Time(-1), "-0.001");
  EXPECT_EQ(Time(-1500), "-1.500");
  EXPECT_EQ(Time(std::numeric_limits<int64_t>::min()), "-9223372036854775.808");
}

TEST(AppendJsonString, IsAlwaysValid) {
  EXPECT_EQ(Text("plain"), "\"plain\"");
  EXPECT_EQ(Text("q\" b\\ n\n r\r t\t z\x01"), R"("q\" b\\ n\n r\r t\t z\u0001")");
  EXPECT_EQ(Text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  EXPECT_EQ(Text("a\xFF"
                 "b\xC3"),
            R"("a\ufffdb\ufffd")");
  EXPECT_EQ(Text("\xC0\x80"), R"("\ufffd\ufffd")");            // overlong
  EXPECT_EQ(Text("\xED\xA0\x80"), R"("\ufffd\ufffd\ufffd")");  // surrogate
  EXPECT_EQ(Text("\xF4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(AppendRfc3339, CutsZeros) {
  const auto text = [](int64_t ns) {
    std::string out;
    AppendRfc3339(&out, ns);
    return out;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(text(1'700'000'000'500'000'000), "2023-11-14T22:13:20.5Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(AppendFloatExponent, IsTheFormOfAlerts) {
  std::string out;
  AppendFloatExponent(&out, 1);
  out += ' ';
  AppendFloatExponent(&out, 0.00125);
  EXPECT_EQ(out, "1e+00 1.25e-03");
}

}  // namespace
}  // namespace tidemark::query::api
