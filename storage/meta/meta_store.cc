#include "storage/meta/meta_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "storage/base/bytes.h"
#include "storage/base/failure_point.h"
#include "storage/base/hash.h"

namespace tidemark::storage::meta {
namespace {

rocks::KeyRange PrefixRange(std::string_view prefix) {
  rocks::KeyRange range{std::string(prefix), std::string(prefix)};
  range.end.back() = static_cast<char>(range.end.back() + 1);  // both prefixes end in '/'
  return range;
}

void WriteRecord(const std::string& key, std::optional<std::string> value, rocks::RecordBatch* batch) {
  if (value.has_value()) {
    batch->Put(rocks::Family::kMeta, key, std::move(*value));
  } else {
    batch->Delete(rocks::Family::kMeta, key);
  }
}

// Whether some of `added` lies in a partition that another one of `epochs`, which has them already, reaches into. Then
// a fold of one, which inherits the highest precedence, could put old rows over newer ones of the other.
Result<void> CheckPartitions(const std::map<EpochId, EpochRecord>& epochs, const std::vector<EpochRecord>& added) {
  if (added.empty()) return {};
  using Place = std::pair<model::DatabaseId, int64_t>;
  std::map<Place, std::set<int64_t>> ends;  // of the partitions that begin there
  for (const auto& [id, record] : epochs) {
    ends[{record.database, record.partition_start_ns}].insert(record.partition_start_ns + (record.partition_ns - 1));
  }
  for (const EpochRecord& record : added) {
    const auto at = ends.find({record.database, record.partition_start_ns});
    const int64_t end_ns = record.partition_start_ns + (record.partition_ns - 1);
    const auto next = std::next(at);
    const bool reaches = next != ends.end() && next->first.first == record.database && next->first.second <= end_ns;
    const bool reached = at != ends.begin() && std::prev(at)->first.first == record.database &&
                         *std::prev(at)->second.rbegin() >= record.partition_start_ns;
    if (at->second.size() > 1 || reaches || reached) {
      return MakeError(ErrorCode::kConflict,
                       fmt::format("epoch {} would be of a partition that overlaps another one", record.epoch));
    }
  }
  return {};
}

}  // namespace

uint64_t HashOfEpochs(std::vector<EpochId> epochs) {
  std::sort(epochs.begin(), epochs.end());
  std::string ids;
  ids.reserve(epochs.size() * (sizeof(uint32_t) + sizeof(uint64_t)));
  for (const auto& [database, epoch] : epochs) {
    PutLittle(&ids, model::Number(database));
    PutLittle(&ids, epoch);
  }
  return Hash64(ids, /*seed=*/0);
}

Error InDoubt(Error error) {
  if (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kConflict) return error;
  error.message += "; whether it will be in force after a restart is not known: repeating it is safe";
  return error;
}

MetaStore::MetaStore(std::shared_ptr<rocks::RocksStore> rocks, std::shared_ptr<rocks::Graveyard> graveyard)
    : rocks_(std::move(rocks)), graveyard_(std::move(graveyard)) {}

Result<void> MetaStore::Create() {
  auto loaded = Load();
  if (loaded.ok() || loaded.error().code != ErrorCode::kNotFound) return loaded;
  MutexLock lock(mutex_);
  return CommitLocked({});
}

Result<void> MetaStore::Load() {
  MutexLock lock(mutex_);
  TM_TRY_ASSIGN(const std::optional<std::string> store, rocks_->Get(rocks::Family::kMeta, rocks::kStoreKey));
  if (!store.has_value()) {
    bool any = false;
    TM_RETURN_IF_ERROR(
        rocks_->ForEach(rocks::Family::kMeta, "", [&](std::string_view, std::string_view) -> Result<void> {
          any = true;
          return {};
        }));
    if (any) return Corruption("meta has records but no store record");
    return NotFound("meta has no record");
  }
  Truth truth;
  TM_TRY_ASSIGN(truth.store, DecodeStoreRecord(*store));
  TM_RETURN_IF_ERROR(rocks_->ForEach(rocks::Family::kMeta, rocks::kDatabasePrefix,
                                     [&](std::string_view, std::string_view value) -> Result<void> {
                                       TM_TRY_ASSIGN(DatabaseRecord record, DecodeDatabaseRecord(value));
                                       const model::DatabaseId id = record.id;
                                       truth.databases.emplace(id, std::move(record));
                                       return {};
                                     }));
  TM_RETURN_IF_ERROR(rocks_->ForEach(
      rocks::Family::kMeta, rocks::kEpochPrefix, [&](std::string_view, std::string_view value) -> Result<void> {
        TM_TRY_ASSIGN(const EpochRecord record, DecodeEpochRecord(value));
        if (!truth.databases.contains(record.database)) {
          return Corruption(fmt::format("epoch {} belongs to database {}, which meta does not have", record.epoch,
                                        model::Number(record.database)));
        }
        truth.epochs.emplace(EpochId{record.database, record.epoch}, record);
        return {};
      }));
  TM_RETURN_IF_ERROR(rocks_->ForEach(
      rocks::Family::kMeta, rocks::kMaskPrefix, [&](std::string_view, std::string_view value) -> Result<void> {
        TM_TRY_ASSIGN(MaskRecord record, DecodeMaskRecord(value));
        if (!truth.databases.contains(record.database)) {
          return Corruption(fmt::format("deletion {} belongs to database {}, which meta does not have", record.number,
                                        model::Number(record.database)));
        }
        const EpochId id{record.database, record.number};
        truth.masks.emplace(id, std::move(record));
        return {};
      }));
  truth_ = std::move(truth);
  return {};
}

uint64_t MetaStore::TakeEpochNumber() {
  MutexLock lock(mutex_);
  return truth_.store.next_epoch++;
}

model::DatabaseId MetaStore::TakeDatabaseId() {
  MutexLock lock(mutex_);
  return model::DatabaseId{truth_.store.next_database++};
}

void MetaStore::SkipEpochNumbersTo(uint64_t epoch) {
  MutexLock lock(mutex_);
  truth_.store.next_epoch = std::max(truth_.store.next_epoch, epoch + 1);
}

Result<void> MetaStore::Commit(MetaChange change) {
  MutexLock lock(mutex_);
  {
    MutexLock refusal_lock(refusal_mutex_);
    if (refusal_) return *refusal_;
  }
  return CommitLocked(std::move(change));
}

void MetaStore::RefuseChanges(Error why) {
  MutexLock lock(refusal_mutex_);
  refusal_ = std::move(why);
}

void MetaStore::OnCommitted(CommittedFn committed) {
  MutexLock lock(mutex_);
  committed_ = std::move(committed);
}

uint64_t MetaStore::epochs_hash() const {
  MutexLock lock(mutex_);
  return HashEpochs();
}

uint64_t MetaStore::HashEpochs() const {
  std::vector<EpochId> epochs;
  epochs.reserve(truth_.epochs.size());
  for (const auto& [id, _] : truth_.epochs) epochs.push_back(id);
  return HashOfEpochs(std::move(epochs));
}

Result<void> MetaStore::Settle() {
  MutexLock lock(mutex_);
  if (!in_doubt_) return {};
  return CommitLocked({});
}

Result<void> MetaStore::CommitLocked(MetaChange change) {
  Truth next = truth_;
  rocks::RecordBatch batch = std::move(change.records);
  if (in_doubt_) {
    batch.DeleteRange(rocks::Family::kMeta, PrefixRange(rocks::kDatabasePrefix));
    batch.DeleteRange(rocks::Family::kMeta, PrefixRange(rocks::kEpochPrefix));
    batch.DeleteRange(rocks::Family::kMeta, PrefixRange(rocks::kMaskPrefix));
    for (const auto& [id, record] : truth_.databases)
      batch.Put(rocks::Family::kMeta, rocks::DatabaseMetaKey(id), Encode(record));
    for (const auto& [id, record] : truth_.epochs) {
      batch.Put(rocks::Family::kMeta, rocks::EpochMetaKey(id.first, id.second), Encode(record));
    }
    for (const auto& [id, record] : truth_.masks) {
      batch.Put(rocks::Family::kMeta, rocks::MaskMetaKey(id.first, id.second), Encode(record));
    }
    for (const auto& [key, value] : documents_in_doubt_) WriteRecord(key, value, &batch);
  }
  const auto drop_epoch = [&](const EpochId& id) {
    batch.Delete(rocks::Family::kMeta, rocks::EpochMetaKey(id.first, id.second));
    return next.epochs.erase(id) == 1;
  };
  for (const EpochRecord& record : change.remove) {
    if (!drop_epoch({record.database, record.epoch})) {
      return MakeError(ErrorCode::kConflict, fmt::format("epoch {} is not live any more", record.epoch));
    }
  }
  for (const DatabaseRecord& record : change.put_databases) {
    batch.Put(rocks::Family::kMeta, rocks::DatabaseMetaKey(record.id), Encode(record));
    next.databases.insert_or_assign(record.id, record);
  }
  for (const EpochRecord& record : change.add) {
    if (!next.databases.contains(record.database)) {
      return MakeError(ErrorCode::kConflict, "the database has been dropped");
    }
    batch.Put(rocks::Family::kMeta, rocks::EpochMetaKey(record.database, record.epoch), Encode(record));
    next.epochs.insert_or_assign(EpochId{record.database, record.epoch}, record);
  }
  TM_RETURN_IF_ERROR(CheckPartitions(next.epochs, change.add));
  for (const MaskRecord& record : change.put_masks) {
    if (!next.masks.emplace(EpochId{record.database, record.number}, record).second) continue;
    batch.Put(rocks::Family::kMeta, rocks::MaskMetaKey(record.database, record.number), Encode(record));
  }
  for (const MaskRecord& record : change.drop_masks) {
    if (next.masks.erase({record.database, record.number}) == 0) continue;
    batch.Delete(rocks::Family::kMeta, rocks::MaskMetaKey(record.database, record.number));
  }
  if (change.drop_database.has_value()) {
    for (const auto& [id, record] : truth_.masks) {
      if (id.first != *change.drop_database) continue;
      batch.Delete(rocks::Family::kMeta, rocks::MaskMetaKey(id.first, id.second));
      next.masks.erase(id);
    }
    for (const auto& [id, _] : truth_.epochs)
      if (id.first == *change.drop_database) drop_epoch(id);
    batch.Delete(rocks::Family::kMeta, rocks::DatabaseMetaKey(*change.drop_database));
    next.databases.erase(*change.drop_database);
  }
  next.store.format_version = std::max(next.store.format_version, change.format_version);
  if (change.checkpoint_sequence.has_value()) next.store.checkpoint_sequence = *change.checkpoint_sequence;
  // After what is in doubt: a change that is tried again has the same keys.
  for (RecordChange& record : change.documents) WriteRecord(record.key, std::move(record.value), &batch);
  batch.Put(rocks::Family::kMeta, std::string(rocks::kStoreKey), Encode(next.store));
  FailurePoint("meta.before_write");
  if (auto written = rocks_->Write(batch); !written.ok()) {
    in_doubt_ = true;
    for (const EpochRecord& record : change.add) files_in_doubt_.push_back(KeysOf(record));
    for (RecordChange& record : change.documents) {
      documents_in_doubt_.insert_or_assign(std::move(record.key), std::move(record.otherwise));
    }
    return written;
  }
  FailurePoint("meta.written");
  truth_ = std::move(next);
  in_doubt_ = false;
  if (committed_) committed_(rocks_->LatestSequence(), HashEpochs(), truth_.store.checkpoint_sequence);
  for (rocks::KeyRange& range : files_in_doubt_) graveyard_->Bury(std::move(range));
  files_in_doubt_.clear();
  documents_in_doubt_.clear();
  return {};
}

uint64_t MetaStore::checkpoint_sequence() const {
  MutexLock lock(mutex_);
  return truth_.store.checkpoint_sequence;
}

uint32_t MetaStore::format_version() const {
  MutexLock lock(mutex_);
  return truth_.store.format_version;
}

std::vector<DatabaseRecord> MetaStore::databases() const {
  MutexLock lock(mutex_);
  std::vector<DatabaseRecord> out;
  out.reserve(truth_.databases.size());
  for (const auto& [id, record] : truth_.databases) out.push_back(record);
  return out;
}

std::vector<EpochRecord> MetaStore::epochs() const {
  MutexLock lock(mutex_);
  std::vector<EpochRecord> out;
  out.reserve(truth_.epochs.size());
  for (const auto& [id, record] : truth_.epochs) out.push_back(record);
  return out;
}

std::vector<MaskRecord> MetaStore::masks() const {
  MutexLock lock(mutex_);
  std::vector<MaskRecord> out;
  out.reserve(truth_.masks.size());
  for (const auto& [id, record] : truth_.masks) out.push_back(record);
  return out;
}

bool MetaStore::KnowsDatabaseId(model::DatabaseId id) const {
  MutexLock lock(mutex_);
  return model::Number(id) != 0 && model::Number(id) < truth_.store.next_database;
}

}  // namespace tidemark::storage::meta
