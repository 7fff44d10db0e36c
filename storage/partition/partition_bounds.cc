#include "storage/partition/partition_bounds.h"

#include <limits>

namespace tidemark::storage::partition {

PartitionBounds PartitionOf(int64_t time_ns, int64_t partition_ns) {
  const int64_t quotient = time_ns / partition_ns - (time_ns % partition_ns < 0 ? 1 : 0);
  // The first and the last partition of all time are cut short by int64.
  PartitionBounds bounds;
  if (__builtin_mul_overflow(quotient, partition_ns, &bounds.start_ns)) {
    bounds.start_ns = std::numeric_limits<int64_t>::min();
  }
  int64_t next = 0;
  bounds.end_ns =
      __builtin_mul_overflow(quotient + 1, partition_ns, &next) ? std::numeric_limits<int64_t>::max() : next - 1;
  return bounds;
}

}  // namespace tidemark::storage::partition
