#include "storage/base/bit_pack.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace tidemark {
namespace {

std::vector<int64_t> RoundTrip(const std::vector<int64_t>& values, size_t* bytes = nullptr) {
  std::string encoded;
  std::vector<uint64_t> scratch;
  PutIntBlock(values, &scratch, &encoded);
  if (bytes != nullptr) *bytes = encoded.size();
  ByteReader reader(encoded);
  std::vector<int64_t> out(values.size());
  EXPECT_TRUE(GetIntBlock(&reader, values.size(), &scratch, out.data()));
  EXPECT_TRUE(reader.empty());
  return out;
}

TEST(BitPack, EveryWidthComesBack) {
  std::mt19937_64 random(7);
  for (unsigned width = 0; width <= 64; ++width) {
    std::vector<uint64_t> values(131);
    for (auto& value : values) value = width == 64 ? random() : random() & ((uint64_t{1} << width) - 1);
    std::string bytes = "x";
    PackBits(values, width, &bytes);
    ASSERT_EQ(bytes.size(), 1 + PackedBytes(values.size(), width));
    std::vector<uint64_t> out(values.size());
    UnpackBits(std::string_view(bytes).substr(1), values.size(), width, out.data());
    EXPECT_EQ(out, values) << width;
  }
}

TEST(BitPack, BlocksPickTheirForm) {
  size_t bytes = 0;
  const std::vector<int64_t> constant(1000, 42);
  EXPECT_EQ(RoundTrip(constant, &bytes), constant);
  EXPECT_EQ(bytes, 2U);
  std::vector<int64_t> progression(1000);
  for (size_t i = 0; i < progression.size(); ++i) progression[i] = 1'000'000'000 - static_cast<int64_t>(i) * 7;
  EXPECT_EQ(RoundTrip(progression, &bytes), progression);
  EXPECT_LT(bytes, 10U);
  std::vector<int64_t> small(1024);
  for (size_t i = 0; i < small.size(); ++i) small[i] = static_cast<int64_t>(i * 37 % 101);
  EXPECT_EQ(RoundTrip(small, &bytes), small);
  EXPECT_EQ(bytes, 3 + PackedBytes(1024, 7));
}

TEST(BitPack, RunsOfProgressionsStayShort) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 1024; ++i) values.push_back(i % 300 + 5);
  size_t bytes = 0;
  EXPECT_EQ(RoundTrip(values, &bytes), values);
  EXPECT_LT(bytes, 30U);
}

TEST(BitPack, ExtremesWrapAndComeBack) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  for (const std::vector<int64_t>& values :
       {std::vector<int64_t>{kMin, kMax}, {kMax, kMin, 0}, {kMin, 0, kMax, -1, 1}, {kMin}, {}}) {
    EXPECT_EQ(RoundTrip(values), values);
  }
}

TEST(BitPack, DamagedBlocksAreRefused) {
  std::vector<uint64_t> scratch;
  std::vector<int64_t> out(100);
  for (const std::string& bytes : {std::string("\x02\x00\x41", 3), std::string("\x07\x00", 2),
                                   std::string("\x02\x00\x10\x01", 4), std::string()}) {
    ByteReader reader(bytes);
    EXPECT_FALSE(GetIntBlock(&reader, 100, &scratch, out.data()) && reader.ok());
  }
}

}  // namespace
}  // namespace tidemark
