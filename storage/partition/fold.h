// Fold: several page sets of one partition (slabs at a checkpoint, epochs at a compaction) into the pages of one.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "storage/base/deadline.h"
#include "storage/base/result.h"
#include "storage/codec/int_codec.h"
#include "storage/partition/page_set.h"
#include "storage/partition/partition_pages.h"
#include "storage/retention/mask.h"
#include "storage/storage.h"

namespace tidemark::storage::partition {

// How far a fold has come. Thread-safe.
struct FoldProgress {
  std::atomic<uint64_t> series_done = 0;
  std::atomic<uint64_t> series_total = 0;  // 0: none is running
};

struct FoldOptions {
  codec::Effort effort = codec::Effort::kFast;
  std::vector<RollupTier> tiers = {};  // that the database names
  // false: the rows themselves go, and the named tiers stay.
  bool raw = true;
  // The youngest field of a name, of any field that has or had it. Of rows of one series at one time that of the
  // youngest field stays, as readers of the name see it: buckets could not tell it from the others. Null: no name has
  // more than one field.
  std::function<model::FieldId(model::FieldId)> newest_of = {};
  FoldProgress* progress = nullptr;
  // Once it is true the fold ends with kUnavailable. May be null.
  const std::atomic<bool>* stop = nullptr;
  // Once it has passed the fold ends with kCancelled. May be null.
  const Deadline* deadline = nullptr;
};

// `sources` ascending in precedence. Every row of them is in the result once, the last write winning (and the youngest
// field of a name, see FoldOptions::newest_of), and tiers are built. `masks`: one of each source (or none at all): the
// rows that they hide are left out. Errors: kCorruption when a page is damaged (nothing may be dropped because it could
// not be read), kIo.
Result<PartitionPages> Fold(const std::vector<std::shared_ptr<const PageSet>>& sources, int64_t partition_start_ns,
                            int64_t partition_ns, std::atomic<uint64_t>* corrupt_pages,
                            const std::vector<retention::SourceMasks>& masks = {}, const FoldOptions& options = {});

}  // namespace tidemark::storage::partition
