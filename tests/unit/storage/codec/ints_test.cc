// Frames of integers: every codec, on random and on adversarial values, whole and in slices.
#include "storage/codec/ints.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "storage/codec/kernels.h"
#include "storage/codec/packed_blocks.h"
#include "tests/unit/storage/codec/int_data.h"

namespace tidemark::codec {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::string Frame(const std::vector<int64_t>& values, Effort effort = Effort::kFast) {
  std::string out;
  EncodeInts(values, &out, effort);
  return out;
}

CodecId IdOf(const std::string& frame) { return CodecId{static_cast<uint8_t>(frame.at(0))}; }

// Encodes as one codec, whether or not it is the smallest; empty when the codec refuses.
std::string FrameAs(const IntCodec& codec, const std::vector<int64_t>& values) {
  const auto candidate = codec.plan(values, std::numeric_limits<size_t>::max(), Effort::kNewest);
  if (candidate == nullptr) return {};
  std::string out(1, static_cast<char>(codec.id));
  candidate->Append(&out);
  EXPECT_EQ(out.size(), candidate->bytes() + 1) << codec.name;
  return out;
}

void ExpectBack(const std::string& frame, const std::vector<int64_t>& values, std::mt19937_64& random) {
  std::vector<int64_t> out(values.size(), 77);
  // Bytes behind a frame are not its own.
  const auto used = DecodeInts(frame + "\x7f", values.size(), out.data());
  ASSERT_TRUE(used.ok()) << used.error().message;
  EXPECT_EQ(*used, frame.size());
  ASSERT_EQ(out, values);
  for (int slice = 0; slice < 4; ++slice) {
    const size_t begin = random() % (values.size() + 1);
    const size_t end = begin + random() % (values.size() + 1 - begin);
    std::vector<int64_t> part(end - begin + 1, 77);
    const auto part_used = DecodeInts(frame, values.size(), {begin, end}, part.data());
    ASSERT_TRUE(part_used.ok()) << part_used.error().message;
    EXPECT_EQ(*part_used, frame.size());
    EXPECT_EQ(part.back(), 77) << "written past the end";
    part.pop_back();
    ASSERT_EQ(part,
              std::vector<int64_t>(values.begin() + static_cast<long>(begin), values.begin() + static_cast<long>(end)));
  }
}

TEST(Ints, PicksTheCodecThatFits) {
  EXPECT_EQ(IdOf(Frame({5})), CodecId::kConstant);
  EXPECT_EQ(IdOf(Frame(std::vector<int64_t>(1000, kMin))), CodecId::kConstant);
  EXPECT_EQ(IdOf(Frame({kMax, kMin})), CodecId::kRegular);
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 1000; ++i) values.push_back(i >= 300 && i < 700 ? 1 : 0);
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kRuns);
  EXPECT_LT(Frame(values).size(), 9u);
  std::mt19937_64 random(1);
  for (int64_t& value : values) value = static_cast<int64_t>(random() % 2);
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kReference);
  for (int64_t& value : values) value = static_cast<int64_t>(random() % 100) * 4096;
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kMultiple);
  int64_t walk = 0;
  for (int64_t& value : values) value = walk += static_cast<int64_t>(random() % 7) - 3;
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kDelta);
  for (int64_t& value : values) value = static_cast<int64_t>(random());
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kRaw);
  EXPECT_EQ(Frame(values).size(), 8001u);
}

TEST(Ints, SealedWalksAreEntropyCodedAndRecentOnesAreNot) {
  std::mt19937_64 random(1);
  std::vector<int64_t> values;
  int64_t walk = 50;
  for (int i = 0; i < 5000; ++i) {
    const uint64_t draw = random() % 10;
    values.push_back(walk += draw < 3 ? 1 : draw < 6 ? -1 : 0);
  }
  EXPECT_EQ(IdOf(Frame(values)), CodecId::kDelta);
  const std::string sealed = Frame(values, Effort::kSmallest);
  EXPECT_EQ(IdOf(sealed), CodecId::kEntropy);
  // Entropy is 1.571 bits a value; a Huffman code takes 1.6.
  EXPECT_LT(sealed.size(), 5000 * 0.212);
  // Mostly zeros: less than the bit a value that Huffman codes take at least.
  for (int64_t& value : values) value = walk += random() % 20 == 0 ? static_cast<int64_t>(random() % 1000) : 0;
  const std::string seldom = Frame(values, Effort::kSmallest);
  EXPECT_EQ(IdOf(seldom), CodecId::kEntropy);
  EXPECT_LT(seldom.size(), 5000 * 0.12);
}

TEST(Ints, EntropyBytes) {
  // The example of FORMAT.md.
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 64; ++i) values.push_back(i == 40 ? 3000 : i * i % 5);
  std::mt19937_64 random(1);
  const IntCodec& codec = *FindIntCodec(CodecId::kEntropy);
  const std::string frame = FrameAs(codec, values);
  ASSERT_FALSE(frame.empty());
  ExpectBack(frame, values, random);
  const std::string golden = "08800023020000f500000284060ae0e9000000006e36b903870e1d3a74e9d0a143870e1d3a740800b915";
  std::string hex;
  for (const char c : frame) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  EXPECT_EQ(hex, golden);
}

TEST(Ints, DistinctAndPairsBytes) {
  // The examples of FORMAT.md.
  const auto hex = [](CodecId id, const std::vector<int64_t>& values) {
    std::string out;
    for (const char c : FrameAs(*FindIntCodec(id), values)) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
    return out;
  };
  std::vector<int64_t> levels;
  std::vector<int64_t> small;
  for (int64_t i = 0; i < 64; ++i) {
    levels.push_back(i < 32 ? 1'000'000 : 5);
    small.push_back(i * i % 5);
  }
  EXPECT_EQ(hex(CodecId::kDistinct, levels), "0902020af6887a07012020");
  const std::string pairs = hex(CodecId::kPairs, small);
  EXPECT_EQ(pairs.substr(0, 28), "0a00002500000101001044014114");
  EXPECT_EQ(pairs.size(), 2 * 41U);
}

TEST(Ints, DistinctFramesInsideOfThemselvesAreRefused) {
  using namespace std::string_view_literals;
  int64_t out[16];
  for (const std::string_view bytes :
       {"\x09\x01\x09\x01\x01\x02\x01\x02\x01\x00"sv, "\x09\x01\x06\x02\x00\x01\x02\x01\x00"sv,
        "\x09\x00\x01\x02\x01\x00"sv, "\x09\x11\x01\x02\x01\x00"sv, "\x09\x01\x01\x02"sv, "\x0a\x02\x00\x01\x00"sv,
        "\x0a\x00"sv}) {
    const auto used = DecodeInts(bytes, 16, out);
    ASSERT_FALSE(used.ok());
    EXPECT_EQ(used.error().code, ErrorCode::kCorruption);
  }
}

TEST(Ints, NoValuesNoBytes) {
  EXPECT_EQ(Frame({}), "");
  const auto used = DecodeInts("", 0, nullptr);
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(*used, 0u);
}

TEST(Ints, EveryCodecGivesBackEveryShape) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<size_t> tried(256);
  for (int round = 0; round < 600; ++round) {
    const std::vector<int64_t> values = RandomInts(random);
    const std::string smallest = Frame(values);
    ExpectBack(smallest, values, random);
    const std::string sealed = Frame(values, Effort::kSmallest);
    EXPECT_LE(sealed.size(), smallest.size());
    ExpectBack(sealed, values, random);
    const std::string newest = Frame(values, Effort::kNewest);
    EXPECT_LE(newest.size(), sealed.size());
    ExpectBack(newest, values, random);
    for (const IntCodec& codec : IntCodecs()) {
      SCOPED_TRACE(codec.name);
      const std::string frame = FrameAs(codec, values);
      if (frame.empty()) continue;
      ++tried[static_cast<size_t>(codec.id)];
      ExpectBack(frame, values, random);
    }
    if (HasFailure()) return;
  }
  for (const IntCodec& codec : IntCodecs()) EXPECT_GT(tried[static_cast<size_t>(codec.id)], 0u) << codec.name;
}

TEST(Ints, WideSwingsWrapAround) {
  std::mt19937_64 random(1);
  std::vector<int64_t> values;
  for (int i = 0; i < 600; ++i) values.push_back(i % 3 == 0 ? kMin : i % 3 == 1 ? kMax : i);
  ExpectBack(Frame(values), values, random);
  for (const IntCodec& codec : IntCodecs()) {
    const std::string frame = FrameAs(codec, values);
    if (!frame.empty()) ExpectBack(frame, values, random);
  }
}

TEST(Ints, OneOutlierCostsBytesNotBits) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < 128; ++i) values.push_back(i * i % 4);
  const size_t without = Frame(values).size();
  values[70] = 1'000'000'000;
  EXPECT_LE(Frame(values).size(), without + 12);
}

TEST(Ints, NarrowKeepsEveryRowInRange) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t narrowed = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<int64_t> values = RandomInts(random);
    std::sort(values.begin(), values.end());
    const int64_t low = random() % 8 == 0 ? kMin : values[random() % values.size()];
    const int64_t high = random() % 8 == 0 ? kMax : values[random() % values.size()];
    for (const IntCodec& codec : IntCodecs()) {
      const std::string frame = FrameAs(codec, values);
      if (frame.empty()) continue;
      const auto rows = NarrowInts(frame, values.size(), low, high);
      ASSERT_TRUE(rows.ok()) << codec.name << rows.error().message;
      ASSERT_LE(rows->begin, rows->end);
      ASSERT_LE(rows->end, values.size());
      for (size_t row = 0; row < values.size(); ++row) {
        if (values[row] >= low && values[row] <= high) {
          ASSERT_TRUE(rows->begin <= row && row < rows->end) << codec.name << " row " << row;
        }
      }
      if (rows->end - rows->begin < values.size()) ++narrowed;
    }
  }
  EXPECT_GT(narrowed, 0u);
}

TEST(Ints, DamagedBytesGiveAnErrorOrValues) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  size_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::vector<int64_t> values = RandomInts(random);
    std::string frame = Frame(values, Effort{static_cast<uint8_t>(random() % 3)});
    const size_t kept = random() % 3 == 0 ? random() % frame.size() : frame.size();
    frame.resize(kept);
    // An exact heap allocation, so that the address sanitizer sees reads past its end.
    const std::vector<char> bytes(frame.begin(), frame.end());
    std::string damaged(bytes.begin(), bytes.end());
    for (uint64_t flips = random() % 4; flips > 0 && !damaged.empty(); --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const std::vector<char> exact(damaged.begin(), damaged.end());
    const std::string_view view(exact.data(), exact.size());
    const size_t begin = random() % values.size();
    std::vector<int64_t> out(values.size() - begin);
    if (!DecodeInts(view, values.size(), {begin, values.size()}, out.data()).ok()) ++refused;
    const auto narrow = NarrowInts(view, values.size(), values.front(), values.back());
    if (narrow.ok()) {
      ASSERT_LE(narrow->begin, narrow->end);
      ASSERT_LE(narrow->end, values.size());
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(Ints, UnknownCodecsAndNestedMultiplesAreRefused) {
  int64_t out[16];
  for (const std::string& bytes :
       {std::string("\x00\x00", 2), std::string("\xff\x01", 2), std::string("\x06\x02\x00\x06\x02\x00\x01\x00", 8),
        std::string("\x06\x01\x00\x01\x00", 5)}) {
    const auto used = DecodeInts(bytes, 16, out);
    ASSERT_FALSE(used.ok());
    EXPECT_EQ(used.error().code, ErrorCode::kCorruption);
  }
}

TEST(Kernels, AllWidthsAgreeWithThePlainOnes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (unsigned round = 0; round < 10 * kWidthCodes; ++round) {
    const unsigned code = round % kWidthCodes;
    const unsigned width = WidthOf(code);
    const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
    const size_t size = kStride * (1 + random() % (kBlock / kStride));
    std::vector<uint64_t> words(size);
    for (uint64_t& word : words) word = random() & mask;
    uint64_t block[kBlock] = {};
    std::copy(words.begin(), words.end(), block);
    std::vector<char> packed(16 * width);
    Pack(block, size, code, packed.data());
    // Neither reads past the slack nor writes past the words: the address sanitizer watches.
    packed.resize(size * width / 8);
    packed.resize(packed.size() + kUnpackSlack);
    for (const Kernels* kernels : {&BaseKernels(), &BestKernels()}) {
      std::vector<uint64_t> out(size);
      kernels->unpack[code](packed.data(), size, out.data());
      ASSERT_EQ(out, words) << "width " << width;
    }
    const auto before = static_cast<int64_t>(random());
    const auto bias = static_cast<int64_t>(random());
    std::vector<int64_t> base_out(size);
    std::vector<int64_t> best_out(size);
    BaseKernels().prefix(words.data(), size, before, bias, base_out.data());
    BestKernels().prefix(words.data(), size, before, bias, best_out.data());
    ASSERT_EQ(best_out, base_out);
    const size_t count = 1 + random() % size;
    ASSERT_EQ(BaseKernels().min(base_out.data(), count),
              *std::min_element(base_out.begin(), base_out.begin() + static_cast<long>(count)));
    ASSERT_EQ(BestKernels().min(base_out.data(), count), BaseKernels().min(base_out.data(), count));
    std::vector<uint64_t> base_words(count);
    std::vector<uint64_t> best_words(count);
    BaseKernels().zigzag_deltas(base_out.data(), count, bias, base_words.data());
    BestKernels().zigzag_deltas(base_out.data(), count, bias, best_words.data());
    ASSERT_EQ(best_words, base_words);
    for (size_t i = 1; i < count; ++i) ASSERT_EQ(base_words[i], words[i]);
    BaseKernels().scale(base_out.data(), count, random() | 1, bias);
    best_out = base_out;
    const uint64_t factor = random() >> (random() % 64);
    BaseKernels().scale(base_out.data(), count, factor, before);
    BestKernels().scale(best_out.data(), count, factor, before);
    ASSERT_EQ(best_out, base_out);
    BaseKernels().add(words.data(), size, before, base_out.data());
    BestKernels().add(words.data(), size, before, best_out.data());
    ASSERT_EQ(best_out, base_out);
    ASSERT_EQ(BaseKernels().bits(words.data(), size), BestKernels().bits(words.data(), size));
    const uint64_t limit = random() & mask;
    const Above base = BaseKernels().above(words.data(), size, limit);
    const Above best = BestKernels().above(words.data(), size, limit);
    ASSERT_EQ(base.count, std::count_if(words.begin(), words.end(), [&](uint64_t word) { return word > limit; }));
    ASSERT_EQ(best.count, base.count);
    ASSERT_EQ(best.rest_bits, base.rest_bits);
  }
}

TEST(Kernels, SymbolsAreSpreadAsThePlainOnesDo) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    const size_t size = kStride * (1 + random() % (kBlock / kStride));
    std::vector<uint8_t> symbols(size);
    for (uint8_t& symbol : symbols) symbol = static_cast<uint8_t>(random());
    const uint64_t less = random() % 3;
    const auto shift = static_cast<unsigned>(random() % 57);
    std::vector<uint64_t> merged[2];
    for (const bool best : {false, true}) {
      const Kernels& kernels = best ? BestKernels() : BaseKernels();
      merged[best].resize(size);
      kernels.widen(symbols.data(), size, less, merged[best].data());
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(merged[best][i], symbols[i] - less);
      kernels.halves(symbols.data(), size, merged[best].data());
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(merged[best][i], symbols[i / 2] >> (i % 2 * 4) & 15);
      kernels.merge(symbols.data(), size, less, shift, merged[best].data());
    }
    ASSERT_EQ(merged[1], merged[0]);
    std::vector<int64_t> highs(size);
    for (int64_t& high : highs) high = static_cast<int64_t>(random());
    const size_t some = random() % (size + 1);
    std::vector<uint64_t> joined[2];
    for (const bool best : {false, true}) {
      joined[best].resize(some);
      (best ? BestKernels() : BaseKernels()).join(highs.data(), merged[0].data(), some, shift, joined[best].data());
    }
    ASSERT_EQ(joined[1], joined[0]);
    for (size_t i = 0; i < some; ++i) {
      ASSERT_EQ(joined[0][i], static_cast<uint64_t>(highs[i]) << shift | merged[0][i]);
    }
    const size_t whole = size / 16 * 16;
    const auto before = static_cast<int64_t>(random());
    const auto bias = static_cast<int64_t>(random()) >> (random() % 64);
    std::vector<int64_t> summed[2];
    for (const bool best : {false, true}) {
      summed[best].resize(whole);
      const Kernels& kernels = best ? BestKernels() : BaseKernels();
      kernels.prefix_symbols(symbols.data(), whole, before, bias, summed[best].data());
    }
    ASSERT_EQ(summed[1], summed[0]);
    std::vector<int64_t> wanted(whole);
    BaseKernels().widen(symbols.data(), size, 0, merged[0].data());
    BaseKernels().prefix(merged[0].data(), whole, before, bias, wanted.data());
    ASSERT_EQ(summed[0], wanted);
  }
}

}  // namespace
}  // namespace tidemark::codec
