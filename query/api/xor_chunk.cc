#include "query/api/xor_chunk.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "storage/base/check.h"

namespace tidemark::query::api {
namespace {

constexpr size_t kCountBytes = 2;
constexpr size_t kCountMax = 65'535;
// Five bits say how many bits of a XOR are zero in front.
constexpr int kLeadingMax = 31;

// Whether `count` bits hold `step`: they reach from -(2^(count-1) - 1) to 2^(count-1).
bool Fits(int64_t step, int count) {
  const int64_t half = int64_t{1} << (count - 1);
  return -(half - 1) <= step && step <= half;
}

}  // namespace

void XorChunk::PutBits(uint64_t bits, int count) {
  while (count > 0) {
    if (free_bits_ == 0) {
      out_.push_back('\0');
      free_bits_ = 8;
    }
    const int take = std::min(count, free_bits_);
    const uint64_t top = bits >> (count - take) & ((uint64_t{1} << take) - 1);
    out_.back() = static_cast<char>(static_cast<unsigned char>(out_.back()) | top << (free_bits_ - take));
    free_bits_ -= take;
    count -= take;
  }
}

void XorChunk::PutVarint(uint64_t value) {
  for (; value >= 0x80; value >>= 7U) PutBits((value & 0x7FU) | 0x80U, 8);
  PutBits(value, 8);
}

void XorChunk::PutTimeStep(int64_t step) {
  if (step == 0) return PutBits(0, 1);
  const auto bits = static_cast<uint64_t>(step);
  if (Fits(step, 14)) {
    PutBits(0b10, 2);
    PutBits(bits, 14);
  } else if (Fits(step, 17)) {
    PutBits(0b110, 3);
    PutBits(bits, 17);
  } else if (Fits(step, 20)) {
    PutBits(0b1110, 4);
    PutBits(bits, 20);
  } else {
    PutBits(0b1111, 4);
    PutBits(bits, 64);
  }
}

void XorChunk::PutValue(uint64_t bits) {
  const uint64_t changed = bits ^ value_bits_;
  if (changed == 0) return PutBits(0, 1);
  PutBits(1, 1);
  const int leading = std::min(std::countl_zero(changed), kLeadingMax);
  const int trailing = std::countr_zero(changed);
  if (leading_ >= 0 && leading >= leading_ && trailing >= trailing_) {
    PutBits(0, 1);
  } else {
    leading_ = leading;
    trailing_ = trailing;
    PutBits(1, 1);
    PutBits(static_cast<uint64_t>(leading), 5);
    // 64 does not fit into six bits and is 0, which never comes.
    PutBits(static_cast<uint64_t>(64 - leading - trailing) & 63U, 6);
  }
  PutBits(changed >> trailing_, 64 - leading_ - trailing_);
}

void XorChunk::Add(int64_t time_ms, double value) {
  TM_CHECK(size_ < kCountMax);
  const auto bits = std::bit_cast<uint64_t>(value);
  // Wraps around on purpose: times may lie anywhere in int64, and the reader adds up modulo 2^64.
  const auto delta = static_cast<int64_t>(static_cast<uint64_t>(time_ms) - static_cast<uint64_t>(last_ms_));
  if (size_ == 0) {
    out_.assign(kCountBytes, '\0');
    first_ms_ = time_ms;
    PutVarint(static_cast<uint64_t>(time_ms) << 1U ^ static_cast<uint64_t>(time_ms >> 63));
    PutBits(bits, 64);
  } else {
    if (size_ == 1) {
      PutVarint(static_cast<uint64_t>(delta));
    } else {
      PutTimeStep(static_cast<int64_t>(static_cast<uint64_t>(delta) - static_cast<uint64_t>(delta_ms_)));
    }
    delta_ms_ = delta;
    PutValue(bits);
  }
  last_ms_ = time_ms;
  value_bits_ = bits;
  ++size_;
}

std::string XorChunk::Finish() {
  if (size_ == 0) out_.assign(kCountBytes, '\0');
  out_[0] = static_cast<char>(size_ >> 8U);
  out_[1] = static_cast<char>(size_ & 0xFFU);
  std::string out = std::move(out_);
  *this = XorChunk();
  return out;
}

}  // namespace tidemark::query::api
