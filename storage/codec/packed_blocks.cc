#include "storage/codec/packed_blocks.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "storage/base/bytes.h"

namespace tidemark::codec {
namespace {

constexpr uint8_t kWidthBits = 0x3F;
constexpr uint8_t kHasExceptions = 0x40;
constexpr uint8_t kReservedBit = 0x80;
// With more exceptions than this a wider block is always smaller or as good as.
constexpr uint32_t kMaxExceptions = 24;

constexpr size_t BytesOf(size_t words, unsigned width) { return (words * width + 7) / 8; }

constexpr size_t VarintBytes(unsigned bits) { return bits == 0 ? 1 : (bits + 6) / 7; }

struct Width {
  unsigned code = 0;
  uint32_t exceptions = 0;
};

// The width of a block of `size` words for the fewest bytes.
Width ChooseWidth(const Kernels& kernels, const uint64_t* words, size_t size) {
  const auto widest = static_cast<unsigned>(std::bit_width(kernels.bits(words, RoundUpToStride(size))));
  Width best{.code = WidthCode(widest)};
  size_t best_bytes = BytesOf(size, WidthOf(best.code));
  unsigned width = std::min(widest, kMaxOddWidth + 1);
  while (width > 0) {
    --width;
    const Above above = kernels.above(words, RoundUpToStride(size), (uint64_t{1} << width) - 1);
    if (above.count > kMaxExceptions) break;
    // No width between this one and that of the rest has other exceptions.
    width = static_cast<unsigned>(std::bit_width(above.rest_bits));
    const size_t bytes = BytesOf(size, width) + 1 + above.count * (1 + VarintBytes(widest - width));
    if (bytes < best_bytes) {
      best = {width, above.count};
      best_bytes = bytes;
    }
  }
  return best;
}

void AppendExceptions(const uint64_t* words, size_t size, unsigned width, std::string* out) {
  for (size_t i = 0; i < size; i += 4) {
    // Exceptions are few: look at four words at once.
    if (((words[i] | words[i + 1] | words[i + 2] | words[i + 3]) >> width) == 0) continue;
    for (size_t j = i; j < i + 4; ++j) {
      if (const uint64_t high = words[j] >> width; high != 0) {
        out->push_back(static_cast<char>(j));
        PutVarint(out, high);
      }
    }
  }
}

}  // namespace

Words::Words(size_t count)
    : count_(count), words_(std::make_unique_for_overwrite<uint64_t[]>(BlocksOf(count) * kBlock)) {
  std::fill(words_.get() + count, words_.get() + BlocksOf(count) * kBlock, 0);
}

void PackPlan::PlanBlock() {
  const size_t block = headers_.size();
  const uint64_t* const words = words_.block(block);
  const Width width = ChooseWidth(BestKernels(), words, words_.size_of(block));
  auto header = static_cast<uint8_t>(width.code);
  if (width.exceptions != 0) {
    header |= kHasExceptions;
    exceptions_.push_back(static_cast<char>(width.exceptions));
    AppendExceptions(words, words_.size_of(block), width.code, &exceptions_);
  }
  headers_.push_back(static_cast<char>(header));
  packed_bytes_ += BytesOf(words_.size_of(block), WidthOf(width.code));
}

void PackPlan::AppendPacked(std::string* out) const {
  size_t at = out->size();
  // Whole blocks are written; what the last one has too much is cut off again.
  const unsigned last_width = WidthOf(static_cast<uint8_t>(headers_.back()) & kWidthBits);
  out->resize(at + packed_bytes_ + BytesOf(kBlock, last_width));
  for (size_t block = 0; block < headers_.size(); ++block) {
    const unsigned code = static_cast<uint8_t>(headers_[block]) & kWidthBits;
    Pack(words_.block(block), words_.size_of(block), code, out->data() + at);
    at += BytesOf(words_.size_of(block), WidthOf(code));
  }
  out->resize(at);
}

Result<size_t> PackedBlocks::PackedBytes(std::string_view headers, size_t count) {
  if (headers.size() != BlocksOf(count)) return Corruption("packed frame: headers are cut short");
  size_t bytes = 0;
  for (size_t block = 0; block < headers.size(); ++block) {
    const auto header = static_cast<uint8_t>(headers[block]);
    const unsigned code = header & kWidthBits;
    if ((header & kReservedBit) != 0 || code >= kWidthCodes) return Corruption("packed frame: unknown block header");
    bytes += BytesOf(std::min(kBlock, count - block * kBlock), WidthOf(code));
  }
  return bytes;
}

Result<PackedBlocks> PackedBlocks::Open(std::string_view headers, std::string_view exceptions, std::string_view packed,
                                        size_t count) {
  TM_TRY_ASSIGN(const size_t bytes, PackedBytes(headers, count));
  if (bytes != packed.size()) return Corruption("packed frame: blocks and headers disagree");
  PackedBlocks blocks;
  blocks.headers_ = headers;
  blocks.exceptions_ = exceptions;
  blocks.packed_ = packed;
  blocks.count_ = count;
  return blocks;
}

Result<void> PackedBlocks::Patch(unsigned width, uint64_t* words) {
  ByteReader reader(exceptions_);
  const unsigned count = reader.Little<uint8_t>();
  for (unsigned i = 0; i < count; ++i) {
    const unsigned place = reader.Little<uint8_t>();
    const uint64_t high = reader.Varint();
    if (place >= kBlock || width >= 64) return Corruption("packed frame: exception outside its block");
    if (words != nullptr) words[place] |= high << width;
  }
  if (!reader.ok()) return Corruption("packed frame: exceptions are cut short");
  exceptions_.remove_prefix(exceptions_.size() - reader.remaining());
  return {};
}

Result<void> PackedBlocks::Skip() {
  const auto header = static_cast<uint8_t>(headers_[block_]);
  const unsigned width = WidthOf(header & kWidthBits);
  if ((header & kHasExceptions) != 0) TM_RETURN_IF_ERROR(Patch(width, nullptr));
  packed_at_ += BytesOf(kBlock, width);
  ++block_;
  return {};
}

Result<void> PackedBlocks::Unpack(size_t block, uint64_t* words) {
  while (block_ < block) TM_RETURN_IF_ERROR(Skip());
  const auto header = static_cast<uint8_t>(headers_[block]);
  const unsigned code = header & kWidthBits;
  const unsigned width = WidthOf(code);
  const size_t size = std::min(kBlock, count_ - block * kBlock);
  const size_t read_size = RoundUpToStride(size);
  const size_t available = packed_.size() - packed_at_;
  if (available >= BytesOf(read_size, width) + kUnpackSlack) {
    BestKernels().unpack[code](packed_.data() + packed_at_, read_size, words);
  } else {
    char padded[kBlock * sizeof(uint64_t) + kUnpackSlack];
    const size_t copied = std::min(available, BytesOf(read_size, width));
    std::memcpy(padded, packed_.data() + packed_at_, copied);
    std::memset(padded + copied, 0, BytesOf(read_size, width) + kUnpackSlack - copied);
    BestKernels().unpack[code](padded, read_size, words);
  }
  if ((header & kHasExceptions) != 0) TM_RETURN_IF_ERROR(Patch(width, words));
  packed_at_ += BytesOf(size, width);
  ++block_;
  return {};
}

}  // namespace tidemark::codec
