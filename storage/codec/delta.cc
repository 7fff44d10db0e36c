#include "storage/codec/delta.h"

#include <algorithm>
#include <array>
#include <string>

#include "storage/base/bytes.h"
#include "storage/codec/packed_blocks.h"

namespace tidemark::codec {
namespace {

constexpr size_t kGroup = 256;
static_assert(kGroup % kBlock == 0);

constexpr size_t GroupsOf(size_t count) { return (count + kGroup - 1) / kGroup; }

int64_t Difference(int64_t later, int64_t earlier) {
  return static_cast<int64_t>(static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier));
}
int64_t Sum(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }

class Delta : public Candidate {
 public:
  explicit Delta(std::span<const int64_t> values) : words_(values.size()), plan_(words_) {
    const size_t count = values.size();
    const int64_t bias = DeltaBias(values);
    BestKernels().zigzag_deltas(values.data(), count, bias, words_.data());
    words_.data()[0] = 0;
    while (plan_.planned_blocks() < words_.blocks()) plan_.PlanBlock();
    PutSignedVarint(&head_, values[0]);
    PutSignedVarint(&head_, bias);
    PutVarint(&head_, plan_.exceptions().size());
    if (count > kGroup) {
      std::string skips;
      int64_t before = Difference(values[0], bias);
      const auto group_bias = static_cast<int64_t>(kGroup * static_cast<uint64_t>(bias));
      for (size_t group = 1; group < GroupsOf(count); ++group) {
        const int64_t last = values[group * kGroup - 1];
        PutSignedVarint(&skips, Difference(Difference(last, before), group_bias));
        before = last;
      }
      PutVarint(&skips_, skips.size());
      skips_ += skips;
    }
  }
  [[nodiscard]] size_t bytes() const override { return head_.size() + skips_.size() + plan_.bytes(); }
  void Append(std::string* out) const override {
    out->append(head_);
    out->append(plan_.headers());
    out->append(skips_);
    out->append(plan_.exceptions());
    plan_.AppendPacked(out);
  }

 private:
  Words words_;
  PackPlan plan_;
  std::string head_;
  std::string skips_;
};

struct Parts {
  int64_t before = 0;  // the value that counts as row -1
  int64_t bias = 0;
  std::string_view headers;
  std::string_view skips;
  std::string_view exceptions;
  std::string_view packed;
  size_t bytes = 0;

  // The value before a group, given that before the group in front of it.
  [[nodiscard]] int64_t Next(int64_t value, int64_t skip) const {
    return Sum(Sum(value, skip), static_cast<int64_t>(kGroup * static_cast<uint64_t>(bias)));
  }
};

Result<Parts> Parse(std::string_view bytes, size_t count) {
  ByteReader reader(bytes);
  Parts parts;
  const int64_t first = reader.SignedVarint();
  parts.bias = reader.SignedVarint();
  parts.before = Difference(first, parts.bias);
  const uint64_t exception_bytes = reader.Varint();
  parts.headers = reader.Bytes(BlocksOf(count));
  if (count > kGroup) parts.skips = reader.String();
  parts.exceptions = reader.Bytes(exception_bytes);
  if (!reader.ok()) return Corruption("delta frame: cut short");
  TM_TRY_ASSIGN(const size_t packed_bytes, PackedBlocks::PackedBytes(parts.headers, count));
  parts.packed = reader.Bytes(packed_bytes);
  if (!reader.ok()) return Corruption("delta frame: cut short");
  parts.bytes = bytes.size() - reader.remaining();
  return parts;
}

}  // namespace

// The median difference where differences are far from zero in comparison with how they spread (times, counters), and
// otherwise 0: the noise of the sample would widen blocks that lie around zero anyhow.
int64_t DeltaBias(std::span<const int64_t> values) {
  constexpr size_t kSample = 16;
  std::array<int64_t, kSample> sample;
  const size_t size = std::min(kSample, values.size() - 1);
  if (size == 0) return 0;
  const size_t stride = size == kSample ? (values.size() - 1) / kSample : 1;
  size_t rises = 0;
  size_t falls = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t row = 1 + i * stride;
    sample[i] = Difference(values[row], values[row - 1]);
    rises += sample[i] > 0 ? 1 : 0;
    falls += sample[i] < 0 ? 1 : 0;
  }
  // Both ways: the median is near zero, and need not be looked for.
  if (std::max(rises, falls) <= size * 3 / 4) return 0;
  std::sort(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(size));
  const int64_t median = sample[size / 2];
  const auto distance = median < 0 ? -static_cast<uint64_t>(median) : static_cast<uint64_t>(median);
  const auto spread = static_cast<uint64_t>(sample[size * 3 / 4]) - static_cast<uint64_t>(sample[size / 4]);
  return distance > spread ? median : 0;
}

std::unique_ptr<Candidate> PlanDelta(std::span<const int64_t> values, size_t /*limit*/, Effort /*effort*/) {
  return std::make_unique<Delta>(values);
}

Result<size_t> DecodeDelta(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  TM_TRY_ASSIGN(const Parts parts, Parse(bytes, count));
  if (rows.begin == rows.end) return parts.bytes;
  TM_TRY_ASSIGN(PackedBlocks blocks, PackedBlocks::Open(parts.headers, parts.exceptions, parts.packed, count));

  int64_t before = parts.before;
  ByteReader skips(parts.skips);
  const size_t first_group = rows.begin / kGroup;
  for (size_t group = 0; group < first_group; ++group) before = parts.Next(before, skips.SignedVarint());
  if (!skips.ok()) return Corruption("delta frame: skips are cut short");

  const Kernels& kernels = BestKernels();
  uint64_t words[kBlock];
  int64_t values[kBlock];
  const size_t end_block = BlocksOf(rows.end);
  for (size_t block = first_group * (kGroup / kBlock); block < end_block; ++block) {
    TM_RETURN_IF_ERROR(blocks.Unpack(block, words));
    const size_t start = block * kBlock;
    if (start >= rows.begin && start + kBlock <= rows.end) {
      int64_t* const target = out + (start - rows.begin);
      kernels.prefix(words, kBlock, before, parts.bias, target);
      before = target[kBlock - 1];
      continue;
    }
    const size_t from = std::max(start, rows.begin);
    const size_t to = std::min(start + kBlock, rows.end);
    kernels.prefix(words, RoundUpToStride(to - start), before, parts.bias, values);
    before = values[to - start - 1];
    if (from < to) std::copy(values + (from - start), values + (to - start), out + (from - rows.begin));
  }
  return parts.bytes;
}

Result<RowRange> NarrowDelta(std::string_view bytes, size_t count, int64_t low, int64_t high) {
  TM_TRY_ASSIGN(const Parts parts, Parse(bytes, count));
  RowRange rows{0, count};
  int64_t last = parts.before;
  ByteReader skips(parts.skips);
  for (size_t group = 1; group < GroupsOf(count); ++group) {
    last = parts.Next(last, skips.SignedVarint());  // of all groups up to here
    if (last < low) rows.begin = group * kGroup;
    if (last > high) {
      rows.end = group * kGroup;
      break;
    }
  }
  if (!skips.ok()) return Corruption("delta frame: skips are cut short");
  return rows;
}

}  // namespace tidemark::codec
