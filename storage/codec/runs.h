// Runs: zeros and ones that seldom change, as the lengths of their runs. (Those that change often are one bit each in
// reference.h.)
//
//   first   one byte, 0 or 1
//   runs    varints, each at least 1, until they add up to the count
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

std::unique_ptr<Candidate> PlanRuns(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeRuns(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
