#include "storage/codec/entropy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/delta.h"
#include "storage/codec/huffman.h"
#include "storage/codec/kernels.h"
#include "storage/codec/low_bits.h"

namespace tidemark::codec {
namespace {

constexpr uint8_t kShiftMask = 0x3F;
constexpr uint8_t kZeroRuns = 0x40;
constexpr uint8_t kDistances = 0x80;
constexpr unsigned kMaxShift = 56;
constexpr uint8_t kEscape = 255;
// The digits of a run of zeros.
constexpr uint64_t kRunSymbols = 2;

// Below this a code table costs more than it saves.
constexpr size_t kMinValues = 64;
// Of words at most one in this many is an escape.
constexpr size_t kWordsPerEscape = 64;
// How many more low bits than needed are considered: smaller tables for a little noise.
constexpr unsigned kMaxExtraShift = 6;

using Histogram = std::array<uint32_t, 256>;

struct Estimate {
  double bits = 0;
  unsigned shift = 0;
};

// Bits of symbols by their entropy, with what the code table takes, about.
double BitsOf(const Histogram& histogram, size_t total) {
  constexpr double kTableBitsPerSymbol = 3;
  double bits = 0;
  const double all = std::log2(static_cast<double>(total));
  for (const uint32_t count : histogram) {
    if (count == 0) continue;
    bits += static_cast<double>(count) * std::max(0.1, all - std::log2(static_cast<double>(count)));
    bits += kTableBitsPerSymbol;
  }
  // Huffman spends a whole bit at least.
  return std::max(bits, static_cast<double>(total));
}

// Bits of the longest word.
unsigned LongestOf(std::span<const uint64_t> words) {
  uint64_t bits = 0;
  for (const uint64_t word : words) bits |= word;
  return static_cast<unsigned>(std::bit_width(bits));
}

// The shift that makes words smallest.
Estimate ChooseShift(std::span<const uint64_t> words) {
  unsigned longest = LongestOf(words);
  if (longest > 8) {
    std::array<uint32_t, 65> lengths{};
    for (const uint64_t word : words) ++lengths[static_cast<size_t>(std::bit_width(word))];
    for (size_t above = lengths[longest]; above * kWordsPerEscape <= words.size(); above += lengths[longest]) --longest;
  }
  const unsigned least = longest > 8 ? longest - 8 : 0;
  Histogram histogram{};
  for (const uint64_t word : words) ++histogram[std::min<uint64_t>(word >> std::min(least, 63U), kEscape)];
  constexpr double kEscapeBits = 16;
  Estimate best;
  for (unsigned shift = least; shift <= std::min(least + kMaxExtraShift, kMaxShift); ++shift) {
    const double bits = BitsOf(histogram, words.size()) + static_cast<double>(words.size()) * shift +
                        static_cast<double>(histogram[kEscape]) * kEscapeBits;
    if (shift != least && bits >= best.bits) break;
    best = {bits, shift};
    Histogram halved{};
    for (size_t i = 0; i < histogram.size(); ++i) halved[i / 2] += histogram[i];
    histogram = halved;
  }
  if (least > kMaxShift) best = {HUGE_VAL, 0};
  return best;
}

// The words of one way to write values, those that are zero apart where they are most.
struct Words {
  uint8_t flags = 0;
  int64_t base = 0;
  int64_t bias = 0;
  std::vector<uint64_t> all{};
  std::vector<uint64_t> literals{};  // with zero runs: those that are not zero
  Estimate estimate{};

  [[nodiscard]] bool has_runs() const { return (flags & kZeroRuns) != 0; }
  [[nodiscard]] const std::vector<uint64_t>& symbols_of() const { return has_runs() ? literals : all; }

  void Weigh() {
    const auto zeros = static_cast<size_t>(std::count(all.begin(), all.end(), uint64_t{0}));
    if (zeros * 5 >= all.size() * 3) {
      flags |= kZeroRuns;
      std::copy_if(all.begin(), all.end(), std::back_inserter(literals), [](uint64_t word) { return word != 0; });
    }
    if (!symbols_of().empty()) estimate = ChooseShift(symbols_of());
    if (has_runs()) {
      // What says where the literals are.
      const double share = static_cast<double>(literals.size()) / static_cast<double>(all.size());
      if (share > 0) estimate.bits -= static_cast<double>(literals.size()) * std::log2(share);
    }
  }
};

class Entropy : public Candidate {
 public:
  explicit Entropy(const Words& words) {
    const unsigned shift = words.estimate.shift;
    std::string symbols(words.all.size(), '\0');
    char* next = symbols.data();
    std::string escapes;
    const uint64_t first_symbol = words.has_runs() ? kRunSymbols : 0;
    const uint64_t most = kEscape - first_symbol;  // above the shift
    uint64_t run = 0;
    const auto end_run = [&] {
      for (; run > 0; run = (run - 1) / 2) *next++ = static_cast<char>((run - 1) % 2);
    };
    for (const uint64_t word : words.all) {
      if (words.has_runs() && word == 0) {
        ++run;
        continue;
      }
      end_run();
      const uint64_t high = word >> shift;
      *next++ = static_cast<char>(std::min(high, most) + first_symbol);
      if (high >= most) PutVarint(&escapes, high - most);
    }
    end_run();
    symbols.resize(static_cast<size_t>(next - symbols.data()));
    std::string frame;
    AppendHuffman(symbols, &frame);

    bytes_.push_back(static_cast<char>(words.flags | shift));
    PutSignedVarint(&bytes_, words.base);
    if ((words.flags & kDistances) == 0) PutSignedVarint(&bytes_, words.bias);
    if (words.has_runs()) PutVarint(&bytes_, symbols.size());
    PutVarint(&bytes_, frame.size());
    PutVarint(&bytes_, escapes.size());
    bytes_ += frame;
    bytes_ += escapes;
    AppendLowBits(words.symbols_of(), shift, &bytes_);
  }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  std::string bytes_;
};

struct Parts {
  uint8_t flags = 0;
  int64_t base = 0;
  int64_t bias = 0;
  size_t symbols = 0;
  std::string_view frame;
  std::string_view escapes;
  std::string_view rest;  // begins with the low bits

  [[nodiscard]] unsigned shift() const { return flags & kShiftMask; }
  [[nodiscard]] bool has_runs() const { return (flags & kZeroRuns) != 0; }
  // Whether symbols are words, and words differences.
  [[nodiscard]] bool are_differences() const { return flags == 0 && escapes.empty(); }
};

Result<Parts> Parse(std::string_view bytes, size_t count) {
  ByteReader reader(bytes);
  Parts parts;
  parts.flags = reader.Little<uint8_t>();
  parts.base = reader.SignedVarint();
  if ((parts.flags & kDistances) == 0) parts.bias = reader.SignedVarint();
  const uint64_t symbols = parts.has_runs() ? reader.Varint() : count;
  const uint64_t frame_bytes = reader.Varint();
  const uint64_t escape_bytes = reader.Varint();
  parts.frame = reader.Bytes(frame_bytes);
  parts.escapes = reader.Bytes(escape_bytes);
  if (!reader.ok()) return Corruption("entropy frame: cut short");
  // Symbols never outnumber values: a run of n zeros takes log2(n + 1) of them.
  if (symbols == 0 || symbols > count || parts.shift() > kMaxShift) {
    return Corruption("entropy frame: " + std::to_string(symbols) + " symbols of " + std::to_string(count) +
                      " values, shift " + std::to_string(parts.shift()));
  }
  parts.symbols = symbols;
  parts.rest = reader.Bytes(reader.remaining());
  return parts;
}

// Symbols and words of one frame; kept per thread.
struct Scratch {
  std::vector<uint8_t> symbols;
  std::vector<uint64_t> words;
  // Of frames with zero runs: the symbols of words that are not zero, and their rows.
  std::vector<uint8_t> literals;
  std::vector<size_t> rows;
};

Scratch& ThreadScratch(size_t symbols, size_t words) {
  thread_local Scratch scratch;
  // With room for whole blocks.
  if (scratch.symbols.size() < symbols + kBlock) scratch.symbols.resize(symbols + kBlock);
  if (scratch.words.size() < words + kBlock) scratch.words.resize(words + kBlock);
  return scratch;
}

// Adds what escaped symbols stand for beyond them.
Result<void> AddEscapes(std::string_view escapes, const uint8_t* symbols, size_t count, unsigned shift,
                        uint64_t* words) {
  if (escapes.empty()) return {};
  ByteReader reader(escapes);
  const uint8_t* at = symbols;
  const uint8_t* const end = symbols + count;
  while ((at = std::find(at, end, kEscape)) != end) {
    words[at - symbols] += reader.Varint() << shift;
    ++at;
  }
  if (!reader.ok() || !reader.empty()) return Corruption("entropy frame: escapes and symbols disagree");
  return {};
}

// Turns the words of symbols[0, count), each less `first_symbol`, into scratch->words.
Result<void> MakeWords(const Parts& parts, const LowBits& low, const uint8_t* symbols, size_t count,
                       uint64_t first_symbol, uint64_t* words) {
  const unsigned shift = parts.shift();
  const Kernels& kernels = BestKernels();
  for (size_t begin = 0; begin < count; begin += kBlock) {
    uint64_t* const target = words + begin;
    const size_t size = std::min(kBlock, count - begin);
    if (shift == 0) {
      kernels.widen(symbols + begin, kBlock, first_symbol, target);
      continue;
    }
    low.Unpack(begin / kBlock, size, target);
    kernels.merge(symbols + begin, size, first_symbol, shift, target);
  }
  return AddEscapes(parts.escapes, symbols, count, shift, words);
}

// Takes the literals out of the symbols of a frame with zero runs, and the row of each; how many there are. No branch
// depends on what a symbol is, which no CPU foretells.
Result<size_t> SplitRuns(const uint8_t* symbols, size_t symbol_count, size_t count, uint8_t* literals, size_t* rows) {
  size_t found = 0;
  size_t row = 0;
  size_t place = 1;  // of the next digit of a run; never above `count`, which the row would have passed before
  for (size_t i = 0; i < symbol_count; ++i) {
    const size_t symbol = symbols[i];
    const bool literal = symbol >= kRunSymbols;
    literals[found] = static_cast<uint8_t>(symbol);
    rows[found] = row;
    found += literal ? 1 : 0;
    row += literal ? 1 : place * (symbol + 1);
    place = literal ? 1 : place * 2;
    if (row > count) return Corruption("entropy frame: more words than values");
  }
  if (row != count) return Corruption("entropy frame: fewer words than values");
  return found;
}

// The words of a frame with zero runs; the bytes of its low bits.
Result<size_t> ReadRuns(const Parts& parts, size_t count, Scratch* scratch) {
  scratch->literals.resize(std::max(scratch->literals.size(), parts.symbols + kBlock));
  scratch->rows.resize(std::max(scratch->rows.size(), parts.symbols + 1));
  uint8_t* const literals = scratch->literals.data();
  TM_TRY_ASSIGN(const size_t size,
                SplitRuns(scratch->symbols.data(), parts.symbols, count, literals, scratch->rows.data()));
  // Those behind are read in whole strides, and must not look like escapes.
  std::memset(literals + size, kRunSymbols, kBlock);
  uint64_t* const words = scratch->words.data();
  uint64_t* const literal_words = words + count + kBlock;
  TM_TRY_ASSIGN(const LowBits low, LowBits::Open(parts.rest, size, parts.shift()));
  TM_RETURN_IF_ERROR(MakeWords(parts, low, literals, size, kRunSymbols, literal_words));
  std::fill_n(words, count, 0);
  for (size_t i = 0; i < size; ++i) words[scratch->rows[i]] = literal_words[i];
  return low.bytes();
}

// Values of words, or of symbols where they are differences and `words` is null.
void Restore(const Parts& parts, const uint64_t* words, const uint8_t* symbols, RowRange rows, int64_t* out) {
  const Kernels& kernels = BestKernels();
  int64_t before = static_cast<int64_t>(static_cast<uint64_t>(parts.base) - static_cast<uint64_t>(parts.bias));
  const bool distances = (parts.flags & kDistances) != 0;
  int64_t values[kBlock];
  const size_t first = distances ? rows.begin / kBlock * kBlock : 0;
  for (size_t start = first; start < rows.end; start += kBlock) {
    const bool whole = start >= rows.begin && start + kBlock <= rows.end;
    int64_t* const target = whole ? out + (start - rows.begin) : values;
    if (words == nullptr) {
      kernels.prefix_symbols(symbols + start, kBlock, before, parts.bias, target);
      before = target[kBlock - 1];
    } else if (distances) {
      kernels.add(words + start, kBlock, parts.base, target);
    } else {
      kernels.prefix(words + start, kBlock, before, parts.bias, target);
      before = target[kBlock - 1];
    }
    const size_t from = std::max(start, rows.begin);
    const size_t to = std::min(start + kBlock, rows.end);
    if (!whole && from < to) std::copy(values + (from - start), values + (to - start), out + (from - rows.begin));
  }
}

}  // namespace

std::unique_ptr<Candidate> PlanEntropy(std::span<const int64_t> values, size_t limit, Effort effort) {
  if (values.size() < kMinValues) return nullptr;
  const Kernels& kernels = BestKernels();
  Words differences{.base = values[0], .bias = DeltaBias(values)};
  differences.all.resize(values.size());
  kernels.zigzag_deltas(values.data(), values.size(), differences.bias, differences.all.data());
  differences.all[0] = 0;
  differences.Weigh();
  Words distances{.flags = kDistances, .base = kernels.min(values.data(), values.size())};
  distances.estimate.bits = HUGE_VAL;
  distances.all.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    distances.all[i] = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(distances.base);
  }
  // Of a walk the differences are shorter, and no closer look is needed.
  if (LongestOf(distances.all) <= LongestOf(differences.all)) {
    distances.estimate.bits = 0;
    distances.Weigh();
  }
  const Words& best = distances.estimate.bits < differences.estimate.bits ? distances : differences;
  const size_t enough = MostBytes(limit, effort);
  // The estimate is of entropy, which Huffman codes do not reach.
  if (best.estimate.bits / 8 >= static_cast<double>(enough)) return nullptr;
  auto candidate = std::make_unique<Entropy>(best);
  return candidate->bytes() < enough ? std::move(candidate) : nullptr;
}

Result<size_t> DecodeEntropy(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  TM_TRY_ASSIGN(const Parts parts, Parse(bytes, count));
  Scratch& scratch = ThreadScratch(parts.symbols, parts.has_runs() ? count + parts.symbols + kBlock : count);
  uint8_t* const symbols = scratch.symbols.data();
  TM_RETURN_IF_ERROR(ReadHuffman(parts.frame, parts.symbols, reinterpret_cast<char*>(symbols)));
  uint64_t* words = scratch.words.data();
  size_t low_bytes = 0;
  if (parts.are_differences()) {
    words = nullptr;
  } else if (parts.has_runs()) {
    TM_TRY_ASSIGN(low_bytes, ReadRuns(parts, count, &scratch));
  } else {
    TM_TRY_ASSIGN(const LowBits low, LowBits::Open(parts.rest, count, parts.shift()));
    TM_RETURN_IF_ERROR(MakeWords(parts, low, symbols, count, 0, words));
    low_bytes = low.bytes();
  }
  if (rows.begin != rows.end) Restore(parts, words, symbols, rows, out);
  return bytes.size() - parts.rest.size() + low_bytes;
}

}  // namespace tidemark::codec
