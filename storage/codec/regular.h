// Regular: every value is `step` after the one before it; wraps around.
//
//   first   signed varint
//   step    signed varint
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanRegular(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeRegular(std::string_view bytes, size_t count, RowRange rows, int64_t* out);
Result<RowRange> NarrowRegular(std::string_view bytes, size_t count, int64_t low, int64_t high);

}  // namespace tidemark::codec
