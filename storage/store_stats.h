// StoreStats: what a store counts of itself.
#pragma once

#include <cstdint>
#include <string>

namespace tidemark::storage {

// Counters since start, and gauges, for /metrics.
struct StoreStats {
  uint64_t rows_written = 0;
  uint64_t points_written = 0;
  uint64_t rows_rejected = 0;
  uint64_t journal_bytes_written = 0;
  uint64_t journal_syncs = 0;
  uint64_t journal_live_bytes = 0;
  uint64_t staged_bytes = 0;
  uint64_t slab_bytes = 0;
  uint64_t series = 0;
  uint64_t series_created = 0;
  uint64_t checkpoints = 0;
  uint64_t checkpoint_failures = 0;
  uint64_t epochs = 0;
  uint64_t partitions = 0;
  uint64_t disk_bytes = 0;
  uint64_t corrupt_pages = 0;
  int64_t last_checkpoint_ns = 0;  // duration
  int64_t recovery_ns = 0;         // duration of the last open
  uint64_t seals = 0;              // partitions sealed by background work
  uint64_t seal_failures = 0;
  uint64_t seal_queue = 0;   // partitions that wait to be sealed
  double seal_progress = 0;  // of the one that is being sealed, 0 to 1
  uint64_t seal_bytes_read = 0;
  uint64_t seal_bytes_written = 0;
  uint64_t sealed_epochs = 0;
  int64_t last_seal_ns = 0;             // duration
  std::string last_seal_error;          // empty: the last seal succeeded
  uint64_t merges = 0;                  // of partitions into a longer one
  uint64_t partitions_merged = 0;       // by them
  uint64_t splits = 0;                  // of merged partitions of which retentions take a part
  uint64_t partitions_left = 0;         // as they are: something of them cannot be read, so no fold takes them
  uint64_t fold_memory_peak_bytes = 0;  // the most working memory that a fold has taken
  uint64_t recovered_points = 0;
  // How often rows were made into slabs, or could not be, while the write that waited longest for it waited.
  uint64_t longest_write_wait_rounds = 0;
  bool read_only = false;  // a disk error or a full disk stopped writes
  std::string read_only_reason;
  // Of the disk, set aside for what gives space back when it is full (engine/README.md): what there is of it, and what
  // there should be. In use: it was let go for that, and writes are refused until it is there again.
  uint64_t reserve_bytes = 0;
  uint64_t reserve_wanted_bytes = 0;
  bool reserve_in_use = false;
};

}  // namespace tidemark::storage
