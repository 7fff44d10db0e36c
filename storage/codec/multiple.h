// Multiple: values that differ from the first by multiples of one number, as whole seconds in nanoseconds and memory
// pages in bytes do: the quotients, in another frame.
//
//   divisor    varint, at least 2
//   base       signed varint; value = base + divisor * quotient, which does not overflow
//   quotients  a frame of as many integers, of any codec but this one
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanMultiple(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeMultiple(std::string_view bytes, size_t count, RowRange rows, int64_t* out);
Result<RowRange> NarrowMultiple(std::string_view bytes, size_t count, int64_t low, int64_t high);

}  // namespace tidemark::codec
