#include "storage/codec/reference.h"

#include <algorithm>
#include <string>

#include "storage/base/bytes.h"
#include "storage/codec/packed_blocks.h"

namespace tidemark::codec {
namespace {

class Reference : public Candidate {
 public:
  explicit Reference(std::span<const int64_t> values)
      : base_(BestKernels().min(values.data(), values.size())), words_(values.size()), plan_(words_) {}

  // Plans all blocks; false as soon as they turn out not to fit into `limit` bytes.
  bool Analyse(std::span<const int64_t> values, size_t limit) {
    for (size_t block = 0; block < words_.blocks(); ++block) {
      const size_t begin = block * kBlock;
      const size_t end = begin + words_.size_of(block);
      for (size_t i = begin; i < end; ++i) {
        words_.data()[i] = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(base_);
      }
      plan_.PlanBlock();
      if (plan_.bytes() >= limit) return false;
      // What the first blocks need is what the others will need. Walks, most of all series, end here.
      const size_t projected = plan_.bytes() / plan_.planned_blocks() * words_.blocks();
      if (plan_.planned_blocks() == kTrialBlocks && projected > limit + limit / 4) return false;
    }
    PutSignedVarint(&head_, base_);
    PutVarint(&head_, plan_.exceptions().size());
    return true;
  }

  [[nodiscard]] size_t bytes() const override { return head_.size() + plan_.bytes(); }
  void Append(std::string* out) const override {
    out->append(head_);
    out->append(plan_.headers());
    out->append(plan_.exceptions());
    plan_.AppendPacked(out);
  }

 private:
  static constexpr size_t kTrialBlocks = 2;

  int64_t base_;
  Words words_;
  PackPlan plan_;
  std::string head_;
};

}  // namespace

std::unique_ptr<Candidate> PlanReference(std::span<const int64_t> values, size_t limit, Effort /*effort*/) {
  auto candidate = std::make_unique<Reference>(values);
  if (!candidate->Analyse(values, limit)) return nullptr;
  return candidate;
}

Result<size_t> DecodeReference(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  const int64_t base = reader.SignedVarint();
  const uint64_t exception_bytes = reader.Varint();
  const std::string_view headers = reader.Bytes(BlocksOf(count));
  const std::string_view exceptions = reader.Bytes(exception_bytes);
  if (!reader.ok()) return Corruption("reference frame: cut short");
  TM_TRY_ASSIGN(const size_t packed_bytes, PackedBlocks::PackedBytes(headers, count));
  const std::string_view packed = reader.Bytes(packed_bytes);
  if (!reader.ok()) return Corruption("reference frame: cut short");
  TM_TRY_ASSIGN(PackedBlocks blocks, PackedBlocks::Open(headers, exceptions, packed, count));

  const Kernels& kernels = BestKernels();
  uint64_t words[kBlock];
  int64_t values[kBlock];
  for (size_t row = rows.begin; row < rows.end;) {
    const size_t block = row / kBlock;
    TM_RETURN_IF_ERROR(blocks.Unpack(block, words));
    const size_t from = row - block * kBlock;
    const size_t to = std::min(kBlock, rows.end - block * kBlock);
    int64_t* const target = out + (row - rows.begin);
    if (to - from == kBlock) {
      kernels.add(words, kBlock, base, target);
    } else {
      kernels.add(words, RoundUpToStride(to), base, values);
      std::copy(values + from, values + to, target);
    }
    row += to - from;
  }
  return bytes.size() - reader.remaining();
}

}  // namespace tidemark::codec
