#include "storage/codec/multiple.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/codec/ints.h"
#include "storage/codec/kernels.h"

namespace tidemark::codec {
namespace {

__extension__ using Wide = __int128;

// Below this the frame around the quotients costs more than it saves.
constexpr size_t kMinValues = 16;

class Multiple : public Candidate {
 public:
  Multiple(std::span<const int64_t> values, int64_t divisor, Effort effort) : quotients_(values.size()) {
    PutVarint(&head_, static_cast<uint64_t>(divisor));
    PutSignedVarint(&head_, values[0]);
    for (size_t i = 0; i < values.size(); ++i) quotients_[i] = (values[i] - values[0]) / divisor;
    choice_ = ChooseIntCodec(quotients_, effort, {CodecId::kMultiple});
  }
  [[nodiscard]] size_t bytes() const override { return head_.size() + 1 + choice_.candidate->bytes(); }
  void Append(std::string* out) const override {
    out->append(head_);
    out->push_back(static_cast<char>(choice_.id));
    choice_.candidate->Append(out);
  }
  [[nodiscard]] Since since() const override { return choice_.since; }

 private:
  std::string head_;
  std::vector<int64_t> quotients_;
  Choice choice_;
};

struct Head {
  uint64_t divisor = 0;
  int64_t base = 0;
  std::string_view quotients;
};

Result<Head> ParseHead(std::string_view bytes) {
  ByteReader reader(bytes);
  Head head;
  head.divisor = reader.Varint();
  head.base = reader.SignedVarint();
  head.quotients = bytes.substr(bytes.size() - reader.remaining());
  if (!reader.ok() || head.quotients.empty()) return Corruption("multiple frame: cut short");
  if (head.divisor < 2) return Corruption("multiple frame: divisor " + std::to_string(head.divisor));
  // Frames inside frames without end would overflow the stack.
  if (static_cast<CodecId>(head.quotients[0]) == CodecId::kMultiple) return Corruption("multiple frame: nested");
  return head;
}

// floor(value / divisor), for the divisor of a frame.
int64_t QuotientOf(int64_t value, const Head& head) {
  const Wide distance = static_cast<Wide>(value) - head.base;
  const Wide divisor = head.divisor;
  Wide quotient = distance / divisor;
  if (distance % divisor < 0) --quotient;
  return static_cast<int64_t>(
      std::clamp<Wide>(quotient, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
}

}  // namespace

std::unique_ptr<Candidate> PlanMultiple(std::span<const int64_t> values, size_t /*limit*/, Effort effort) {
  if (values.size() < kMinValues) return nullptr;
  const int64_t base = values[0];
  int64_t divisor = 0;
  for (const int64_t value : values) {
    int64_t distance;
    if (__builtin_sub_overflow(value, base, &distance) || distance == std::numeric_limits<int64_t>::min()) {
      return nullptr;
    }
    if (distance == 0 || (divisor != 0 && distance % divisor == 0)) continue;
    divisor = std::gcd(divisor, distance);
    if (divisor == 1) return nullptr;
  }
  if (divisor == 0) return nullptr;
  return std::make_unique<Multiple>(values, divisor, effort);
}

Result<size_t> DecodeMultiple(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  TM_TRY_ASSIGN(const Head head, ParseHead(bytes));
  TM_TRY_ASSIGN(const size_t used, DecodeInts(head.quotients, count, rows, out));
  BestKernels().scale(out, rows.end - rows.begin, head.divisor, head.base);
  return bytes.size() - head.quotients.size() + used;
}

Result<RowRange> NarrowMultiple(std::string_view bytes, size_t count, int64_t low, int64_t high) {
  TM_TRY_ASSIGN(const Head head, ParseHead(bytes));
  return NarrowInts(head.quotients, count, QuotientOf(low, head), QuotientOf(high, head));
}

}  // namespace tidemark::codec
