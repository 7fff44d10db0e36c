#include "storage/codec/pairs.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/huffman.h"
#include "storage/codec/kernels.h"

namespace tidemark::codec {
namespace {

constexpr uint8_t kDifferences = 1;
constexpr uint64_t kWords = 16;
// Below this a code table costs more than it saves.
constexpr size_t kMinValues = 64;

class Pairs : public Candidate {
 public:
  Pairs(std::string_view symbols, uint8_t flags, int64_t base) {
    std::string frame;
    AppendHuffman(symbols, &frame);
    bytes_.push_back(static_cast<char>(flags));
    PutSignedVarint(&bytes_, base);
    PutVarint(&bytes_, frame.size());
    bytes_ += frame;
  }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  std::string bytes_;
};

bool Fit(std::span<const uint64_t> words) {
  uint64_t bits = 0;
  for (const uint64_t word : words) bits |= word;
  return bits < kWords;
}

std::string SymbolsOf(std::span<const uint64_t> words) {
  std::string symbols((words.size() + 1) / 2, '\0');
  for (size_t i = 0; i < words.size(); ++i) {
    symbols[i / 2] = static_cast<char>(static_cast<uint8_t>(symbols[i / 2]) | (words[i] << (i % 2 * 4)));
  }
  return symbols;
}

}  // namespace

std::unique_ptr<Candidate> PlanPairs(std::span<const int64_t> values, size_t limit, Effort effort) {
  if (values.size() < kMinValues) return nullptr;
  const Kernels& kernels = BestKernels();
  std::unique_ptr<Candidate> best;
  size_t enough = MostBytes(limit, effort);
  std::vector<uint64_t> words(values.size());
  const auto keep = [&](uint8_t flags, int64_t base) {
    if (!Fit(words)) return;
    const std::string symbols = SymbolsOf(words);
    // To pack is dear, and mostly another codec has been shorter already.
    if (LeastHuffmanBytes(symbols) >= enough) return;
    auto candidate = std::make_unique<Pairs>(symbols, flags, base);
    if (candidate->bytes() >= enough) return;
    enough = candidate->bytes();
    best = std::move(candidate);
  };
  const int64_t least = kernels.min(values.data(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    words[i] = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(least);
  }
  keep(0, least);
  kernels.zigzag_deltas(values.data(), values.size(), 0, words.data());
  words[0] = 0;
  keep(kDifferences, values[0]);
  return best;
}

Result<size_t> DecodePairs(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  const auto flags = reader.Little<uint8_t>();
  const int64_t base = reader.SignedVarint();
  const uint64_t frame_bytes = reader.Varint();
  const std::string_view frame = reader.Bytes(frame_bytes);
  if (!reader.ok() || flags > kDifferences) return Corruption("pairs frame: cut short, or unknown flags");
  const Kernels& kernels = BestKernels();
  const size_t symbol_count = (count + 1) / 2;
  std::vector<uint8_t> symbols(symbol_count + kBlock);
  TM_RETURN_IF_ERROR(ReadHuffman(frame, symbol_count, reinterpret_cast<char*>(symbols.data())));
  const bool differences = (flags & kDifferences) != 0;
  int64_t before = base;
  uint64_t words[kBlock];
  int64_t values[kBlock];
  for (size_t start = differences ? 0 : rows.begin / kBlock * kBlock; start < rows.end; start += kBlock) {
    const bool whole = start >= rows.begin && start + kBlock <= rows.end;
    int64_t* const target = whole ? out + (start - rows.begin) : values;
    kernels.halves(symbols.data() + start / 2, kBlock, words);
    if (differences) {
      kernels.prefix(words, kBlock, before, 0, target);
      before = target[kBlock - 1];
    } else {
      kernels.add(words, kBlock, base, target);
    }
    const size_t from = std::max(start, rows.begin);
    const size_t to = std::min(start + kBlock, rows.end);
    if (!whole && from < to) std::copy(values + (from - start), values + (to - start), out + (from - rows.begin));
  }
  return bytes.size() - reader.remaining();
}

}  // namespace tidemark::codec
