// Rollup buckets: what a tier keeps of the raw rows. A bucket with number n and width w covers the times
// ((n - 1) * w, n * w], open on the left and closed on the right, as the windows of Prometheus are.
//
// Stale markers (storage/model/stale_marker.h) are no rows: they are left out. Other NaNs are rows; min and max pass
// over them unless a bucket has nothing else, as min_over_time and max_over_time do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/model/batch.h"
#include "storage/model/column.h"
#include "storage/model/field.h"
#include "storage/model/ids.h"
#include "storage/model/timestamp.h"

namespace tidemark::rollup {

// The number of the bucket that holds a time: ceil(time / width).
int64_t BucketOf(int64_t time_ns, int64_t width_ns);
// The end (included) of a bucket; INT64_MAX where it would overflow.
int64_t BucketEnd(int64_t bucket, int64_t width_ns);

// The buckets of one series that have rows, ascending. All arrays have the same size. Values have the words of
// model::Column: a mantissa of `scale`, an integer, the bit pattern of a uint64 or of a double.
struct BucketArrays {
  model::SeriesRef ref;
  model::FieldType type = model::FieldType::kFloat;  // kFloat, kInt or kUInt
  uint8_t scale = 0;                                 // of floats; model::kBinaryScale: bit patterns of doubles
  int64_t width_ns = 0;
  // The sums are int64 words of `scale` and exact. Otherwise they are bit patterns of doubles: sums of free doubles
  // (compensated), and of integers and mantissas past int64.
  bool exact_sum = true;
  // Whether `increase` is kept. Series that fall often are no counters, and their increase would cost more than it
  // tells.
  bool has_increase = true;
  // The increases are int64 words of `scale` and exact; otherwise bit patterns of doubles.
  bool exact_increase = true;

  std::vector<int64_t> bucket{};
  std::vector<int64_t> count{};     // >= 1
  std::vector<int64_t> first_ns{};  // times of the first and the last row of the bucket
  std::vector<int64_t> last_ns{};
  std::vector<int64_t> min{};
  std::vector<int64_t> max{};
  std::vector<int64_t> first{};
  std::vector<int64_t> last{};
  std::vector<int64_t> sum{};
  // Sum over consecutive rows inside the bucket of (later - earlier), or of the later one alone where it is smaller (a
  // counter reset). Empty without has_increase. What happens between buckets follows from `last` and `first`.
  std::vector<int64_t> increase{};

  [[nodiscard]] size_t size() const { return bucket.size(); }
  void Clear();
};

// Of which series the increase is kept.
enum class Increase : uint8_t { kOfCounters, kAlways };

// The buckets of a numeric column. Strings and bools have none.
BucketArrays Build(const model::Column& column, int64_t width_ns, Increase increase = Increase::kOfCounters);

// Buckets `factor` times as wide. has_increase and the exact flags are those of `buckets`, and become false (the sums
// doubles) where int64 does not hold a result.
BucketArrays Coarsen(const BucketArrays& buckets, int64_t factor);

// Takes out the buckets that have times of `range`. `buckets` of one width that do not lie in it stay.
void EraseInside(model::TimeRange range, BucketArrays* buckets);

// Brings the buckets of two sources to the same words: the larger scale, or doubles where int64 does not hold that or
// one of them has doubles; exact sums and increases only where both have them.
void MakeAlike(BucketArrays* left, BucketArrays* right);

// Puts the buckets of `later`, all of which come behind those of `to`, to them. The widths are the same. What the two
// have differently is made alike.
void Append(BucketArrays later, BucketArrays* to);

// One of min, max, first, last as a double.
double ValueAt(const BucketArrays& buckets, const std::vector<int64_t>& values, size_t i);
double SumAt(const BucketArrays& buckets, size_t i);
double IncreaseAt(const BucketArrays& buckets, size_t i);

// Fewer raw rows than this in a bucket, and a tier costs more bytes than it saves time.
inline constexpr int64_t kMinRowsPerBucket = 256;
// The narrowest width of 1m, 5m, 10m, 30m, 1h, 6h, 1d that holds kMinRowsPerBucket rows `step_ns` apart (5 m for
// 1 s, 1 h for 10 s); 0 when none does.
int64_t FirstTierWidth(int64_t step_ns);
// The next tier: 24 times as wide.
inline constexpr int64_t kTierFactor = 24;

}  // namespace tidemark::rollup
