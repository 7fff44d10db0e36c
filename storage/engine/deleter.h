// Deleter: deletions, from their place in the journal until nothing that they hide is left.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "storage/database/partition_epochs.h"
#include "storage/engine/checkpointer.h"
#include "storage/engine/store_parts.h"
#include "storage/meta/mask_spec.h"
#include "storage/retention/mask.h"

namespace tidemark::storage {

// Thread-safe.
class Deleter {
 public:
  // Both outlive it.
  Deleter(StoreParts* parts, Checkpointer* checkpointer) : parts_(*parts), checkpointer_(*checkpointer) {}

  // See Store::Delete.
  Result<DeleteReport> Delete(std::string_view database, const DeleteRequest& request)
      TM_EXCLUDES(checkpointer_.flush_mutex());
  // Partitions that are dropped may have rows in the journal too, which would come back with it after a crash: those
  // are deleted, as by Delete.
  // Called with the lock of `checkpointer` held.
  Result<void> DeleteStaged(Checkpointer& checkpointer, database::Database& database,
                            const std::set<database::PartitionId>& partitions) TM_REQUIRES(checkpointer.flush_mutex());
  // Of meta, and of a journal record: at open.
  Result<void> LoadMasksOf(database::Database& database);
  Result<void> Replay(database::Database& database, std::string_view encoded);
  // Forgets deletions that no older row is left of.
  Result<void> DropSpentMasks() TM_EXCLUDES(checkpointer_.flush_mutex());

  // What `masks` (their series enumerated: RefSet::Select with an open end) hide of `state`.
  [[nodiscard]] static DeleteReport EstimateHidden(const database::DatabaseState& state,
                                                   const retention::MaskList& masks);

 private:
  // Writes a deletion into the journal, and waits until it is there. No checkpoint may come between that and AddMask:
  // the caller holds the flush lock. Returns the staged set before which its place is.
  Result<uint64_t> JournalDeletion(database::Database& database, const meta::MaskSpec& spec);
  // Makes a deletion visible whose place lies before the staged set `before_set`.
  Result<void> AddMask(database::Database& database, uint64_t before_set, const meta::MaskSpec& spec);

  StoreParts& parts_;
  Checkpointer& checkpointer_;
};

}  // namespace tidemark::storage
