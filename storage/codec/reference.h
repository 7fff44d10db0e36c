// Reference: the distance of each value to the smallest one, in packed blocks (packed_blocks.h). For noise, and for
// zeros and ones.
//
//   base             signed varint
//   exception_bytes  varint
//   headers          one byte per block of 128 values
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

std::unique_ptr<Candidate> PlanReference(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeReference(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
