// Chunks, read back by a reader of the test's own after prometheus/tsdb/docs/format/chunks.md.
#include "query/api/xor_chunk.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace tidemark::query::api {
namespace {

using Sample = std::pair<int64_t, uint64_t>;  // time, bits of the value

class BitReader {
 public:
  explicit BitReader(const std::string& bytes) : bytes_(bytes) {}
  uint64_t Bits(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i, ++at_) {
      if (at_ / 8 >= bytes_.size()) {
        ADD_FAILURE() << "the chunk is cut short";
        return 0;
      }
      const auto byte = static_cast<unsigned char>(bytes_[at_ / 8]);
      value = value << 1U | (byte >> (7 - at_ % 8) & 1U);
    }
    return value;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const uint64_t byte = Bits(8);
      value |= (byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
  }
  [[nodiscard]] size_t bytes_read() const { return (at_ + 7) / 8; }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

int64_t ReadStep(BitReader* bits) {
  int ones = 0;
  while (ones < 4 && bits->Bits(1) == 1) ++ones;
  if (ones == 0) return 0;
  if (ones == 4) return static_cast<int64_t>(bits->Bits(64));
  const int width = ones == 1 ? 14 : ones == 2 ? 17 : 20;
  const auto value = static_cast<int64_t>(bits->Bits(width));
  return value > int64_t{1} << (width - 1) ? value - (int64_t{1} << width) : value;
}

std::vector<Sample> Decode(const std::string& bytes) {
  std::vector<Sample> samples;
  BitReader bits(bytes);
  const uint64_t count = bits.Bits(16);
  uint64_t time = 0;
  uint64_t delta = 0;
  uint64_t value = 0;
  uint64_t leading = 0;
  uint64_t width = 0;
  for (uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      const uint64_t zigzag = bits.Varint();
      time = zigzag >> 1U ^ (0 - (zigzag & 1U));
      value = bits.Bits(64);
      samples.emplace_back(static_cast<int64_t>(time), value);
      continue;
    }
    delta = i == 1 ? bits.Varint() : delta + static_cast<uint64_t>(ReadStep(&bits));
    time += delta;
    if (bits.Bits(1) == 1) {
      if (bits.Bits(1) == 1) {
        leading = bits.Bits(5);
        width = bits.Bits(6);
        if (width == 0) width = 64;
      }
      value ^= bits.Bits(static_cast<int>(width)) << (64 - leading - width);
    }
    samples.emplace_back(static_cast<int64_t>(time), value);
  }
  EXPECT_EQ(bits.bytes_read(), bytes.size());
  return samples;
}

std::string Encode(const std::vector<Sample>& samples) {
  XorChunk chunk;
  for (const auto& [time, bits] : samples) chunk.Add(time, std::bit_cast<double>(bits));
  EXPECT_EQ(chunk.size(), samples.size());
  if (!samples.empty()) {
    EXPECT_EQ(chunk.first_ms(), samples.front().first);
    EXPECT_EQ(chunk.last_ms(), samples.back().first);
  }
  return chunk.Finish();
}

TEST(XorChunkTest, KnownBytes) {
  // Two samples, 15 s apart, of the same value: count, varint 1000, 1.0, uvarint 15000, a zero bit.
  XorChunk chunk;
  chunk.Add(1000, 1);
  chunk.Add(16'000, 1);
  EXPECT_EQ(chunk.Finish(), std::string("\x00\x02\xd0\x0f\x3f\xf0\x00\x00\x00\x00\x00\x00\x98\x75\x00", 15));
  EXPECT_EQ(chunk.size(), 0U);
  EXPECT_EQ(chunk.Finish(), std::string("\0\0", 2));
}

TEST(XorChunkTest, TheEndsOfEachWidth) {
  std::vector<Sample> samples = {{-5'000'000'000, 0}};
  // Deltas of deltas at, and one beyond, what 14, 17 and 20 bits hold.
  int64_t delta = 3'000'000;
  for (const int64_t step : {0LL, 1LL, -1LL, 8192LL, -8191LL, 8193LL, -8192LL, 65'536LL, -65'535LL, 65'537LL, -65'536LL,
                             524'288LL, -524'287LL, 524'289LL, -524'288LL, 1LL << 40, -(1LL << 40)}) {
    delta += step;
    samples.emplace_back(samples.back().first + delta, samples.size());
  }
  EXPECT_EQ(Decode(Encode(samples)), samples);
}

TEST(XorChunkTest, AllBitsOfTheValuesComeBack) {
  std::vector<Sample> samples;
  int64_t time = 0;
  for (const uint64_t bits : {uint64_t{0}, ~uint64_t{0}, uint64_t{0}, uint64_t{1}, uint64_t{1} << 63,
                              uint64_t{0x7ff0000000000002}, uint64_t{0x7ff8000000000001}, uint64_t{0x7ff0000000000000},
                              uint64_t{0xfff0000000000000}, uint64_t{1} << 31, uint64_t{1} << 32}) {
    samples.emplace_back(time++, bits);
  }
  EXPECT_EQ(Decode(Encode(samples)), samples);
  const std::vector<Sample> far = {
      {std::numeric_limits<int64_t>::min(), 1}, {0, 2}, {std::numeric_limits<int64_t>::max(), 3}};
  EXPECT_EQ(Decode(Encode(far)), far);
}

TEST(XorChunkTest, RandomSamplesComeBack) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Sample> samples;
    auto time = static_cast<int64_t>(random() >> (random() % 40 + 12));
    uint64_t bits = random();
    const size_t count = 1 + random() % 500;
    for (size_t i = 0; i < count; ++i) {
      samples.emplace_back(time, bits);
      time += 1 + static_cast<int64_t>(random() % 3 == 0 ? random() >> (random() % 40 + 24) : 14'999);
      // Changes of few bits somewhere, so that windows are kept and left.
      if (random() % 3 != 0) bits ^= (random() >> (random() % 64)) << (random() % 64);
    }
    EXPECT_EQ(Decode(Encode(samples)), samples);
  }
}

}  // namespace
}  // namespace tidemark::query::api
