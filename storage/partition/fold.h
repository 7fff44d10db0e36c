// Fold: several page sets (slabs of a partition at a checkpoint, epochs at a compaction, those of several partitions at
// a merge) into the pages of one partition. It streams: what it holds at once does not grow with what it folds, but for
// the list of the pages that it has made (some 200 bytes for each of 32 KiB) and the ids of series.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/base/deadline.h"
#include "storage/base/result.h"
#include "storage/base/scheduler.h"
#include "storage/codec/int_codec.h"
#include "storage/partition/page_set.h"
#include "storage/partition/partition_bounds.h"
#include "storage/partition/partition_pages.h"
#include "storage/partition/working_memory.h"
#include "storage/retention/mask.h"
#include "storage/storage.h"

namespace tidemark::storage::partition {

// How far a fold has come, in bytes of pages. Thread-safe.
struct FoldProgress {
  std::atomic<uint64_t> bytes_done = 0;
  std::atomic<uint64_t> bytes_total = 0;  // 0: none is running
};

struct FoldOptions {
  codec::Effort effort = codec::Effort::kFast;
  std::vector<RollupTier> tiers = {};  // that the database names
  // false: the rows themselves go, and the named tiers stay.
  bool raw = true;
  // Rows of other times are left out, and go on being in the sources.
  model::TimeRange range = {};
  // The youngest field of a name, of any field that has or had it. Of rows of one series at one time that of the
  // youngest field stays, as readers of the name see it: buckets could not tell it from the others. Null: no name has
  // more than one field. Called on one thread.
  std::function<model::FieldId(model::FieldId)> newest_of = {};
  FoldProgress* progress = nullptr;

  // Runs parts of it, as tasks of `kind`; null: the calling thread does.
  Scheduler* scheduler = nullptr;
  TaskKind kind = TaskKind::kFlush;
  // Its threads make way for any other that wakes up (base/background.h).
  bool in_background = false;
  // What it holds at most, but see above; at least kLeastFoldMemory. Finished pages beyond a quarter of it wait in a
  // file in `spool_directory`; "": they stay in memory.
  uint64_t memory_bytes = uint64_t{64} << 20;
  std::string spool_directory = {};
  // Counts what is held. May be null.
  WorkingMemory* memory = nullptr;

  // Once it is true the fold ends with kUnavailable. May be null.
  const std::atomic<bool>* stop = nullptr;
  // Once it has passed the fold ends with kCancelled. May be null.
  const Deadline* deadline = nullptr;
  // Once it is stopped the fold ends with kCancelled.
  std::stop_token cancel = {};
};

inline constexpr uint64_t kLeastFoldMemory = uint64_t{8} << 20;

// `sources` ascending in precedence. Every row of them is in the result once, the last write winning (and the youngest
// field of a name, see FoldOptions::newest_of), and tiers are built. `masks`: one of each source (or none at all): the
// rows that they hide are left out. All three ends of FoldOptions are looked for before each column of a series and
// each piece of a long one, so within a few milliseconds. On one thread the same sources give the same bytes; on
// several the numbers of timelines may differ. Errors: kCorruption when a page is damaged (nothing may be dropped
// because it could not be read), kIo, kResourceExhausted (no room for pages that wait).
Result<PartitionPages> Fold(const std::vector<std::shared_ptr<const PageSet>>& sources, PartitionBounds bounds,
                            std::atomic<uint64_t>* corrupt_pages, const std::vector<retention::SourceMasks>& masks = {},
                            const FoldOptions& options = {});

}  // namespace tidemark::storage::partition
