#include "tools/cli/transfer/prometheus/chunk.h"

#include <algorithm>

#include "storage/base/bytes.h"

namespace tidemark::cli::prometheus {
namespace {

constexpr size_t kCountBytes = 2;
constexpr int kVarintBytesMax = 10;

// Bits from the highest of the first byte on. Behind the end they are zeros, and ok() is false.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ok() const { return ok_; }

  uint64_t Bits(int count) {
    uint64_t out = 0;
    while (count > 0) {
      if (at_ == bytes_.size()) {
        ok_ = false;
        return 0;
      }
      const int take = std::min(count, left_);
      const auto byte = static_cast<unsigned char>(bytes_[at_]);
      const uint64_t top = (uint64_t{byte} >> static_cast<unsigned>(left_ - take)) & ((uint64_t{1} << take) - 1);
      out = out << static_cast<unsigned>(take) | top;
      left_ -= take;
      count -= take;
      if (left_ == 0) {
        left_ = 8;
        ++at_;
      }
    }
    return out;
  }

  uint64_t Varint() {
    uint64_t out = 0;
    for (int i = 0; i < kVarintBytesMax; ++i) {
      const uint64_t byte = Bits(8);
      out |= (byte & 0x7fU) << static_cast<unsigned>(7 * i);
      if (byte < 0x80) return out;
    }
    ok_ = false;
    return 0;
  }

 private:
  const std::string_view bytes_;
  size_t at_ = 0;
  int left_ = 8;  // bits of the byte at at_
  bool ok_ = true;
};

// How the difference of two time steps is written: that many ones and a zero, then so many bits.
int64_t ReadTimeStep(BitReader* in) {
  constexpr int kBits[] = {0, 14, 17, 20, 64};
  int ones = 0;
  while (ones < 4 && in->Bits(1) == 1) ++ones;
  const int count = kBits[ones];
  if (count == 0) return 0;
  const uint64_t bits = in->Bits(count);
  if (count == 64) return static_cast<int64_t>(bits);
  // From -(2^(count-1) - 1) to 2^(count-1).
  const auto value = static_cast<int64_t>(bits);
  return value > int64_t{1} << (count - 1) ? value - (int64_t{1} << count) : value;
}

struct Window {
  int leading = 0;
  int trailing = 0;
};

uint64_t ReadXor(BitReader* in, Window* window) {
  if (in->Bits(1) == 0) return 0;
  if (in->Bits(1) == 1) {
    window->leading = static_cast<int>(in->Bits(5));
    const auto meaning = static_cast<int>(in->Bits(6));
    // 64 does not fit into six bits and is 0.
    window->trailing = 64 - window->leading - (meaning == 0 ? 64 : meaning);
    if (window->trailing < 0) window->trailing = 0;
  }
  const int count = 64 - window->leading - window->trailing;
  return in->Bits(count) << static_cast<unsigned>(window->trailing);
}

}  // namespace

uint64_t SamplesIn(std::string_view data) { return data.size() < kCountBytes ? 0 : LoadBig<uint16_t>(data.data()); }

Status ReadXorChunk(std::string_view data, std::vector<Sample>* samples) {
  if (data.size() < kCountBytes) return Corruption("a chunk is too short");
  const uint64_t count = SamplesIn(data);
  BitReader in(data.substr(kCountBytes));
  Sample sample;
  uint64_t delta = 0;
  Window window;
  for (uint64_t i = 0; i < count; ++i) {
    if (i == 0) {
      sample.time_ms = UnZigZag(in.Varint());
      sample.bits = in.Bits(64);
    } else {
      // Times wrap around on purpose: the writer's did.
      delta = i == 1 ? in.Varint() : delta + static_cast<uint64_t>(ReadTimeStep(&in));
      sample.time_ms = static_cast<int64_t>(static_cast<uint64_t>(sample.time_ms) + delta);
      sample.bits ^= ReadXor(&in, &window);
    }
    if (!in.ok()) return Corruption("a chunk ends before its last sample");
    samples->push_back(sample);
  }
  return {};
}

}  // namespace tidemark::cli::prometheus
