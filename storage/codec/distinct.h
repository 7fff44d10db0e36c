// Distinct: the different values of a frame, ascending, and for each row the place of its value among them. For numbers
// far apart of which few are different: sizes, limits, codes, levels that come back. What there is between places that
// follow each other (walks over levels, runs, levels that are frequent) the codec of the places makes use of.
//
//   size      varint, 1 to count: how many are different
//   values    integer frame of `size` ascending values, neither multiple nor distinct
//   places    integer frame of `count` values from 0 to size - 1, neither multiple nor distinct
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/codec/int_codec.h"

namespace tidemark::codec {

// Whether a look at some of the values says that values come back; of 500 that are drawn evenly it does, mostly.
bool ValuesRepeat(std::span<const int64_t> values);
// The different ones of the values, ascending, and for each value its place among them. Nothing when there are more
// than `most`.
struct DistinctValues {
  std::vector<int64_t> values;
  std::vector<int64_t> places;
};
DistinctValues FindDistinct(std::span<const int64_t> values, size_t most);
// kCorruption when a place is not one of `size`.
Result<void> CheckPlaces(std::span<const int64_t> places, size_t size);

std::unique_ptr<Candidate> PlanDistinct(std::span<const int64_t> values, size_t limit, Effort effort);
Result<size_t> DecodeDistinct(std::string_view bytes, size_t count, RowRange rows, int64_t* out);

}  // namespace tidemark::codec
