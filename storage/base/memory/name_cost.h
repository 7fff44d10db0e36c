// What names cost, in bytes of memory for good: what the budget takes for each, and how many will fit.
#pragma once

#include <cstdint>

namespace tidemark::memory {

// With all that a name brings: its text of usual length, its place in tables, postings and heads, and of a field the
// pages that a checkpoint makes of it. README.md says how they were measured.
inline constexpr uint64_t kDatabaseBytes = uint64_t{128} << 10;
inline constexpr uint64_t kSeriesBytes = 256;
inline constexpr uint64_t kLabelPairBytes = 112;
inline constexpr uint64_t kFieldBytes = uint64_t{3} << 10;

// Series that fit into so many bytes, each with a value of one label of its own.
constexpr uint64_t SeriesThatFit(uint64_t bytes) { return bytes / (kSeriesBytes + kLabelPairBytes); }

}  // namespace tidemark::memory
