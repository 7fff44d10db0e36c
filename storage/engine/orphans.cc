#include <set>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/log.h"
#include "storage/engine/checkpointer.h"
#include "storage/rocks/directory.h"

namespace tidemark::storage {

Result<void> Checkpointer::NoteOrphans() {
  Orphans orphans;
  std::set<std::pair<model::DatabaseId, uint64_t>> live;
  for (const meta::EpochRecord& record : parts_.meta->epochs()) live.emplace(record.database, record.epoch);
  TM_TRY_ASSIGN(const std::vector<rocks::DataFile> files, parts_.rocks->DataFiles());
  for (const rocks::DataFile& file : files) {
    TM_TRY_ASSIGN(const rocks::PageKey key, rocks::DecodePageKey(file.smallest));
    // Numbers of orphans are passed over, so that a file which cannot be dropped is never taken for a later epoch.
    parts_.meta->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    if (file.level == 0) TM_LOG(kWarn, "{} is in level 0 and cannot be freed", file.name);
    orphans.pages.push_back(rocks::EpochKeys(key.database, key.partition_start_ns, key.epoch));
  }
  TM_TRY_ASSIGN(const std::vector<rocks::PageKey> small, parts_.rocks->EpochsInMeta());
  for (const rocks::PageKey& key : small) {
    parts_.meta->SkipEpochNumbersTo(key.epoch);
    if (live.contains({key.database, key.epoch})) continue;
    orphans.pages.push_back(rocks::EpochKeysInMeta(key.database, key.partition_start_ns, key.epoch));
  }
  TM_TRY_ASSIGN(const std::vector<std::string> staged,
                rocks::NamesIn(parts_.files.get(), parts_.options.directory + "/staging"));
  for (const std::string& name : staged) {
    // A new file of the same number would be written over it, and through it over what RocksDB has linked.
    if (const auto epoch = rocks::EpochOfStagingName(name)) parts_.meta->SkipEpochNumbersTo(*epoch);
    orphans.staged.push_back(parts_.options.directory + "/staging/" + name);
  }
  MutexLock flush(flush_mutex_);
  orphans_ = std::move(orphans);
  return {};
}

Result<void> Checkpointer::DropOrphans() {
  if (!orphans_) return {};
  if (!orphans_->pages.empty())
    TM_LOG(kInfo, "dropping the pages of {} epochs that are not live", orphans_->pages.size());
  TM_RETURN_IF_ERROR(parts_.rocks->DropFiles(orphans_->pages));
  for (const std::string& path : orphans_->staged) parts_.rocks->DeleteLeftover(path);
  // Entries of databases that were dropped.
  std::set<model::DatabaseId> known;
  for (const meta::DatabaseRecord& record : parts_.meta->databases()) known.insert(record.id);
  TM_RETURN_IF_ERROR(parts_.rocks->DropUnknownIndexes(known));
  orphans_.reset();
  FailurePoint("checkpoint.orphans_dropped");
  return {};
}

}  // namespace tidemark::storage
