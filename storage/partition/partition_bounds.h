// PartitionBounds: the times that belong to one partition.
#pragma once

#include <compare>
#include <cstdint>

namespace tidemark::storage::partition {

// Times [start_ns, end_ns], both included: the last partition of all time would end past int64 otherwise.
struct PartitionBounds {
  int64_t start_ns = 0;
  int64_t end_ns = 0;
  [[nodiscard]] int64_t length_ns() const { return end_ns - start_ns + 1; }
  friend auto operator<=>(const PartitionBounds&, const PartitionBounds&) = default;
};

// The partition of length `partition_ns` that holds `time_ns`, where nothing lies there yet.
PartitionBounds PartitionOf(int64_t time_ns, int64_t partition_ns);

}  // namespace tidemark::storage::partition
