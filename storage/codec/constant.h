// Constant: all values are the same.
//
//   value   signed varint
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanConstant(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeConstant(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
