// Delta: the difference of each value to the one before it, less a bias that all have in common, zigzag, in packed
// blocks (packed_blocks.h). Differences wrap around.
//
//   first            signed varint
//   bias             signed varint; value[-1] counts as first - bias, so that the first word is zero
//   exception_bytes  varint
//   headers          one byte per block of 128 values
//   skip_bytes       varint, only with more than 256 values
//   skips            for each group of 256 values but the last: what it adds to the value beyond 256 times the bias;
//                    signed varints. With them a range of rows is decoded from its own group on.
//   exceptions       exception_bytes
//   packed
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

// What the differences of at least one value have in common: their median where that is far from zero, otherwise 0.
int64_t DeltaBias(std::span<const int64_t> values);

std::unique_ptr<Candidate> PlanDelta(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeDelta(std::string_view bytes, size_t count, RowRange rows, int64_t* out);
Result<RowRange> NarrowDelta(std::string_view bytes, size_t count, int64_t low, int64_t high);

}  // namespace tidemark::codec
