// Frames of doubles that are no short decimals: every codec, on doubles of every kind, whole, in slices and damaged.
#include <gtest/gtest.h>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "storage/codec/doubles/float_codec.h"
#include "storage/codec/doubles/floats.h"
#include "storage/codec/doubles/quotient_kernels.h"
#include "storage/codec/doubles/quotient_search.h"
#include "storage/model/batch.h"
#include "tests/unit/storage/codec/double_data.h"

namespace tidemark::codec {
namespace {

using Values = std::vector<double>;

std::string NewestFrame(const Values& values) {
  std::string frame;
  EncodeFloats(values, model::kBinaryScale, &frame, Effort::kNewest);
  return frame;
}

// Encodes as one codec, whether or not it is the smallest; empty when the codec refuses.
std::string FrameOf(const FloatCodec& codec, const Values& values) {
  std::string frame(1, static_cast<char>(codec.head));
  if (codec.encode(values, std::numeric_limits<size_t>::max(), &frame)) return frame;
  EXPECT_EQ(frame.size(), 1U) << codec.name;
  return {};
}

Result<Values> RowsOf(std::string_view frame, size_t count, RowRange rows) {
  std::vector<int64_t> ints;
  Values floats;
  TM_TRY_ASSIGN(const DecodedFloats decoded, DecodeFloats(frame, count, rows, &ints, &floats));
  if (decoded.bytes > frame.size()) return Corruption("more bytes than there are");
  Values out;
  for (size_t i = 0; i < rows.end - rows.begin; ++i) {
    out.push_back(decoded.scale == model::kBinaryScale ? floats[i] : model::FloatOf(ints[i], decoded.scale));
  }
  return out;
}

std::vector<uint64_t> Bits(const Values& values, RowRange rows) {
  std::vector<uint64_t> bits;
  for (size_t row = rows.begin; row < rows.end; ++row) bits.push_back(std::bit_cast<uint64_t>(values[row]));
  return bits;
}

void ExpectRows(const std::string& frame, const Values& values, std::mt19937_64& random) {
  std::vector<RowRange> ranges = {{0, values.size()}, {0, 0}};
  for (int slice = 0; slice < 4; ++slice) {
    const size_t begin = random() % (values.size() + 1);
    ranges.push_back({begin, begin + random() % (values.size() + 1 - begin)});
  }
  for (const RowRange& rows : ranges) {
    // Bytes behind a frame are not its own.
    const auto found = RowsOf(frame + "\x7f", values.size(), rows);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(Bits(*found, {0, found->size()}), Bits(values, rows)) << rows.begin << " to " << rows.end;
  }
}

// Of one draw: samples choose the codec, and of some kinds one draw in ten takes more.
TEST(Doubles, EveryKindComesBackInFewBytes) {
  std::mt19937_64 random(1);
  for (const DoubleKind& kind : DoubleKinds()) {
    SCOPED_TRACE(kind.name);
    const Values values = kind.make(random, 2000);
    const std::string frame = NewestFrame(values);
    EXPECT_LE(static_cast<double>(frame.size()) / 2000, kind.bytes) << "head " << int{static_cast<uint8_t>(frame[0])};
    ExpectRows(frame, values, random);
    std::string older;
    const FloatFrame written = EncodeFloats(values, model::kBinaryScale, &older, Effort::kSmallest);
    EXPECT_EQ(written.since, Since::kStore1);
    EXPECT_LE(frame.size(), older.size());
    ExpectRows(older, values, random);
  }
}

TEST(Doubles, EveryCodecGivesBackEveryKindAtAnyLength) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<size_t> tried(256);
  for (int round = 0; round < 10; ++round) {
    for (const DoubleKind& kind : DoubleKinds()) {
      const Values values = kind.make(random, 1 + random() % (random() % 2 == 0 ? 12 : 700));
      ExpectRows(NewestFrame(values), values, random);
      for (const FloatCodec& codec : FloatCodecs()) {
        SCOPED_TRACE(fmt::format("{} as {}", kind.name, codec.name));
        const std::string frame = FrameOf(codec, values);
        if (frame.empty()) continue;
        ++tried[static_cast<size_t>(codec.head)];
        EXPECT_EQ(FloatScaleOf(frame), model::kBinaryScale);
        ExpectRows(frame, values, random);
        if (HasFailure()) return;
      }
    }
  }
  for (const FloatCodec& codec : FloatCodecs()) EXPECT_GT(tried[static_cast<size_t>(codec.head)], 3U) << codec.name;
}

TEST(Doubles, AFewLargeIntegersAmongSmallOnesComeBack) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  // As percentages their numerators are a hundred times as large, which is more than a frame takes.
  const double large[] = {3050602306720600.0, -3050602306720600.0, 2251799813685248.0, 9007199254740991.0};
  for (int round = 0; round < 2000; ++round) {
    Values values(20 + random() % 50);
    for (double& value : values) {
      value = random() % 8 != 0   ? static_cast<double>(random() % 3)
              : random() % 2 == 0 ? large[random() % std::size(large)]
                                  : static_cast<double>(static_cast<int64_t>(random()) >> 11);
    }
    ExpectRows(NewestFrame(values), values, random);
    for (const FloatCodec& codec : FloatCodecs()) {
      const std::string frame = FrameOf(codec, values);
      if (!frame.empty()) ExpectRows(frame, values, random);
    }
    if (HasFailure()) return;
  }
}

TEST(Doubles, WhatNeedsALaterProgramSaysSo) {
  std::mt19937_64 random(1);
  for (const DoubleKind& kind : DoubleKinds()) {
    const Values values = kind.make(random, 2000);
    std::string frame;
    const FloatFrame written = EncodeFloats(values, model::kBinaryScale, &frame, Effort::kNewest);
    const auto head = static_cast<uint8_t>(frame[0]);
    if (head >= 32 && head < 128) {
      EXPECT_EQ(written.since, Since::kStore3) << kind.name;
    }
  }
  std::string frame;
  EXPECT_EQ(EncodeFloats(Values(2000, 1.5), model::kBinaryScale, &frame, Effort::kNewest).since, Since::kStore1);
}

TEST(Doubles, DamagedFramesGiveAnErrorOrValues) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t refused = 0;
  for (const DoubleKind& kind : DoubleKinds()) {
    const Values values = kind.make(random, 300);
    for (const FloatCodec& codec : FloatCodecs()) {
      const std::string good = FrameOf(codec, values);
      if (good.empty()) continue;
      for (int round = 0; round < 150; ++round) {
        std::string damaged = good.substr(0, random() % 2 == 0 ? good.size() : random() % good.size());
        for (uint64_t flips = 1 + random() % 3; flips > 0 && !damaged.empty(); --flips) {
          damaged[random() % std::min<size_t>(damaged.size(), 40)] = static_cast<char>(random());
        }
        // An exact heap allocation, so that the address sanitizer sees reads past its end.
        const std::vector<char> exact(damaged.begin(), damaged.end());
        if (!RowsOf({exact.data(), exact.size()}, values.size(), {5, 290}).ok()) ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000U);
}

TEST(Doubles, PartsThatCannotBeAreRefusedByName) {
  const auto error = [](std::string_view frame) {
    const auto rows = RowsOf(frame, 4, {0, 4});
    EXPECT_FALSE(rows.ok());
    return rows.ok() ? std::string() : rows.error().message;
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(error("\x20\x40\x01\x01\x02"sv), "quotients frame: unknown form 64");
  EXPECT_EQ(error("\x20\x03\x01\x01\x02"sv), "quotients frame: unknown form 3");
  EXPECT_EQ(error("\x20\x00\x00\x01\x02"sv), "quotients frame: denominator 0");
  EXPECT_EQ(error("\x20\x02\xfe\x0f\x01\x01\x02"sv), "quotients frame: exponent 1023");
  EXPECT_EQ(error("\x20\x00"sv), "quotients frame: cut short");
  EXPECT_EQ(error("\x21\x02\x01\x02"sv), "singles frame: unknown flags");
  EXPECT_EQ(error("\x22\x05\x00\x01\x02\x01\x00"sv), "levels frame: 5 values of 4 rows");
  EXPECT_EQ(error("\x22\x01\x22\x01\x02\x01\x00"sv), "levels frame: nested");
  EXPECT_EQ(error("\x22\x01\x00\x01\x02\x01\x02"sv), "distinct frame: 4 places are not below 1");
  EXPECT_EQ(error("\x23\x3a\x01\x02"sv), "split frame: 58 low bits");
  EXPECT_EQ(error("\x23\x30\x01\x02\x00"sv), "frame: low bits are cut short");
  EXPECT_EQ(error("\x24\x01\x02"sv), "float frame: unknown head 36");
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", static_cast<uint8_t>(c));
  return hex;
}

// The examples of FORMAT.md.
TEST(Doubles, Bytes) {
  const auto as = [](FloatHead head, const Values& values) {
    for (const FloatCodec& codec : FloatCodecs()) {
      if (codec.head == head) return Hex(FrameOf(codec, values));
    }
    return std::string();
  };
  EXPECT_EQ(as(FloatHead::kQuotients, {0.3, 0.1 + 0.2, 0.4, 0.5}), "20 08 0a 03 00 00 00 03 e0 00 03 06 00 00 02 a0");
  EXPECT_EQ(as(FloatHead::kQuotients, {1.0 / 3, 2.0 / 3, 4.0 / 3}), "20 00 03 03 02 04 00 01 02");
  EXPECT_EQ(as(FloatHead::kQuotients, {5.0 / 7, 3.0 / 11, 99.0 / 101, 9.0 / 10}),
            "20 00 ca df 04 03 fc e3 06 00 00 11 00 00 8e 18 62 b7 ce 85 01");
  EXPECT_EQ(as(FloatHead::kSingles, {0.5, static_cast<double>(0.1F), -2}),
            "21 00 03 80 80 80 f0 07 00 00 20 00 00 00 00 65 66 66 02 9b 99 99 fb");
  EXPECT_EQ(as(FloatHead::kSplit, {1.0 / 3, 2.0 / 3}), "23 30 02 aa ff 01 20 55 55 55 55 55 55 55 55 55 55 55 55");
  Values levels;
  for (int i = 0; i < 64; ++i) levels.push_back(i < 32 ? 0.1 : 1.0 / 3);
  EXPECT_EQ(as(FloatHead::kLevels, levels), "22 02 20 00 1e 02 06 0e 07 00 20 20");
}

TEST(Doubles, FractionsHaveTheSmallestDenominator) {
  const auto is = [](double value, int64_t numerator, int64_t denominator) {
    const auto found = FractionOf(value, 0, 1e14);
    ASSERT_TRUE(found.has_value()) << value;
    EXPECT_EQ(found->numerator, numerator);
    EXPECT_EQ(found->denominator, denominator);
  };
  is(1.0 / 3, 1, 3);
  is(-22.0 / 7, -22, 7);
  is(0.5, 1, 2);
  is(41, 41, 1);
  is(6.0 / 9, 2, 3);
  is(99'991.0 / 100'003, 99'991, 100'003);
  EXPECT_FALSE(FractionOf(0, 0, 1e14).has_value());
  EXPECT_FALSE(FractionOf(std::numeric_limits<double>::quiet_NaN(), 0, 1e14).has_value());
  EXPECT_FALSE(FractionOf(std::numeric_limits<double>::infinity(), 0, 1e14).has_value());
  EXPECT_FALSE(FractionOf(1e300, 0, 1e14).has_value());
  EXPECT_FALSE(FractionOf(5e-324, 0, 1e14).has_value());
}

TEST(Doubles, QuotientKernelsAgreeWithThePlainOnes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const size_t count = random() % 70;
    std::vector<int64_t> numerators(count);
    std::vector<int64_t> denominators(count);
    std::vector<int64_t> residuals(count);
    for (size_t i = 0; i < count; ++i) {
      numerators[i] = static_cast<int64_t>(random() >> (13 + random() % 50)) * (random() % 2 == 0 ? 1 : -1);
      denominators[i] = static_cast<int64_t>(random() >> (13 + random() % 50)) + 1;
      residuals[i] = static_cast<int64_t>(random() % 9000);
    }
    for (const bool each : {false, true}) {
      std::vector<uint64_t> bits[2];
      for (const QuotientKernels* kernels : {&BaseQuotientKernels(), &BestQuotientKernels()}) {
        Values out(count);
        if (each) {
          kernels->divide_each(numerators.data(), denominators.data(), count, out.data());
        } else {
          kernels->divide(numerators.data(), count, 300, out.data());
        }
        for (size_t i = 0; i < count; ++i) {
          const double divisor = each ? static_cast<double>(denominators[i]) : 300;
          ASSERT_EQ(out[i], static_cast<double>(numerators[i]) / divisor);
        }
        kernels->step(residuals.data(), count, out.data());
        bits[kernels == &BestQuotientKernels()] = Bits(out, {0, count});
      }
      ASSERT_EQ(bits[0].empty() ? bits[1] : bits[0], bits[1]);
    }
    // Where both are the same, the plain ones are what the table calls best.
    const int exponent = static_cast<int>(random() % 100) - 50;
    std::vector<uint64_t> singles[2];
    std::vector<uint64_t> multiples[2];
    for (const bool best : {false, true}) {
      const QuotientKernels& kernels = best ? BestQuotientKernels() : BaseQuotientKernels();
      Values out(count);
      kernels.divide_each(numerators.data(), denominators.data(), count, out.data());
      Values moved = out;
      kernels.step_singles(residuals.data(), count, moved.data());
      singles[best] = Bits(moved, {0, count});
      moved = out;
      kernels.step_multiples(residuals.data(), count, std::ldexp(1.0, -exponent), std::ldexp(1.0, exponent),
                             moved.data());
      multiples[best] = Bits(moved, {0, count});
    }
    ASSERT_EQ(singles[0], singles[1]);
    ASSERT_EQ(multiples[0], multiples[1]);
  }
}

}  // namespace
}  // namespace tidemark::codec
