// Raw: 8 bytes per value, little-endian. For values that nothing else makes smaller.
//
//   values  8 * count
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanRaw(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeRaw(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
