// What tier pages and their readers and writers agree on. FORMAT.md has the picture.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::rollup {

// The directory of a tier page: one value per series, in this order on disk.
enum class TierDirectory : uint8_t {
  kSeries,       // ascending, unique
  kEnd,          // buckets of the page up to and including those of this series
  kFirstBucket,  // number of its first bucket
  kScale,
  kFlags,
};
inline constexpr size_t kTierDirectoryColumns = 5;

inline constexpr uint8_t kExactSum = 0x01;
inline constexpr uint8_t kHasIncrease = 0x02;
inline constexpr uint8_t kExactIncrease = 0x04;
inline constexpr uint8_t kKnownTierFlags = kExactSum | kHasIncrease | kExactIncrease;

// The columns of a tier page: one value per bucket, in this order on disk. All arithmetic is on int64 and wraps around,
// whatever the words stand for: near values give small differences also as bit patterns.
enum class BucketColumn : uint8_t {
  kGap,  // bucket - first bucket of the series - place in the series
  kCount,
  kFirstGap,  // first_ns - start of the bucket
  kLastGap,   // end of the bucket - last_ns
  kFirst,     // first - last of the bucket before it in the series (0 for the first bucket)
  kLast,      // last - first
  kMin,       // min(first, last) - min
  kMax,       // max - max(first, last)
  kSum,       // exact: sum - count * (min + (max - min) / 2); otherwise the word
  kIncrease,  // exact: increase - (last - first); otherwise the word; 0 where there is none
};
inline constexpr size_t kBucketColumns = 10;

// Buckets of one page at most: what damaged bytes can make a reader allocate.
inline constexpr uint32_t kMaxPageBuckets = 1 << 22;

}  // namespace tidemark::rollup
