#include "storage/rocks/rocks_store.h"

#include <fmt/core.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/metadata.h>
#include <rocksdb/table_properties.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <utility>

#include "storage/base/failure_point.h"
#include "storage/base/lent_thread.h"
#include "storage/base/log.h"
#include "storage/model/repair_remedy.h"
#include "storage/rocks/lock_holder.h"
#include "storage/rocks/rocks_handles.h"
#include "storage/rocks/rocks_options.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// The first key after all keys that start with `prefix`; empty when there is none.
std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

// RocksDB looks for a table that is missing by the name that LevelDB would have given it too, and names that one;
// nobody has such files.
Error WithOwnNames(Error error) {
  constexpr std::string_view kForeign = ".ldb";
  std::string& text = error.message;
  for (size_t at = text.find(kForeign); at != std::string::npos; at = text.find(kForeign, at)) {
    text.replace(at, kForeign.size(), ".sst");
  }
  return error;
}

Result<void> FromOpen(const rocksdb::Status& status, const std::string& what) {
  auto opened = FromRocks(status, what);
  if (!opened.ok()) return WithOwnNames(std::move(opened).error());
  return opened;
}

}  // namespace

RocksStore::RocksStore(RocksStoreOptions options) : options_(std::move(options)) {}

RocksStore::~RocksStore() { Close(); }

Result<std::shared_ptr<RocksStore>> RocksStore::Open(RocksStoreOptions options) {
  std::shared_ptr<RocksStore> store(new RocksStore(std::move(options)));
  WriterLock lock(store->mutex_);
  store->read_only_ = store->options_.read_only;
  store->may_create_ = store->options_.create;
  store->handles_ = std::make_unique<Handles>();
  Handles& handles = *store->handles_;
  std::shared_ptr<rocksdb::FileSystem> files = store->options_.file_system;
  if (files == nullptr) files = rocksdb::FileSystem::Default();
  handles.files = std::make_shared<KeepingFileSystem>(std::move(files), store->options_.directory);
  handles.env = rocksdb::NewCompositeEnv(handles.files);
  handles.cache = rocksdb::NewLRUCache(store->options_.cache_bytes);
  TM_RETURN_IF_ERROR(store->OpenLocked());
  return store;
}

Result<void> RocksStore::OpenLocked() {
  Handles& handles = *handles_;
  rocksdb::DBOptions db_options = MakeDbOptions(handles.env.get(), options_.on_error);
  db_options.max_open_files = options_.max_open_files;
  db_options.create_if_missing = may_create_;
  db_options.create_missing_column_families = may_create_;
  if (read_only_) {
    // Point in time ends quietly at the first damaged record; this one at a torn last record only.
    if (options_.strict_log) db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    // Logs are verified all the same: where the MANIFEST tracks some and this was off, 7.8 would write it anew, and
    // ends the process because it may not.
    if (options_.past_damage) db_options.paranoid_checks = false;
  }
  const std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName, MakeRecordOptions(handles.cache)},
      {"data", MakeDataOptions(handles.cache)},
      {"index", MakeRecordOptions(handles.cache)},
      {"meta", MakeRecordOptions(handles.cache)},
  };
  std::vector<rocksdb::ColumnFamilyHandle*> opened;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      read_only_ ? rocksdb::DB::OpenForReadOnly(db_options, options_.directory, descriptors, &opened, &db)
                 : rocksdb::DB::Open(db_options, options_.directory, descriptors, &opened, &db);
  if (!status.ok()) {
    const std::string what = fmt::format("opening RocksDB in {}", options_.directory);
    if (IsLockHeld(status)) {
      const std::optional<int> holder = LockHolder(options_.directory + "/LOCK");
      return MakeError(ErrorCode::kUnavailable,
                       fmt::format("{}: {} has it open: stop it first", what,
                                   holder ? fmt::format("process {}", *holder) : std::string("another process")));
    }
    return FromOpen(status, what);
  }
  // From here on there is one.
  may_create_ = false;
  handles.db.reset(db);
  handles.default_family.reset(opened[0]);
  for (size_t i = 0; i < handles.families.size(); ++i) handles.families[i].reset(opened[i + 1]);
  return {};
}

Result<void> RocksStore::CheckOpen() const {
  if (handles_ == nullptr || handles_->db == nullptr) return MakeError(ErrorCode::kUnavailable, "the store is closed");
  return {};
}

void RocksStore::Close() {
  EndBackups();
  WriterLock lock(mutex_);
  closed_ = true;
  if (handles_ != nullptr) handles_->CloseDb();
}

Result<void> RocksStore::FromRead(const rocksdb::Status& status, std::string_view what) const {
  auto read = FromRocks(status, what);
  if (read.ok()) return read;
  Error error = WithOwnNames(std::move(read).error());
  if (read_only_ && status.IsIOError()) error.code = ErrorCode::kCorruption;
  return error;
}

Result<void> RocksStore::FromChange(const rocksdb::Status& status, std::string_view what) const {
  auto changed = FromRocks(status, what);
  if (changed.ok() || changed.error().code != ErrorCode::kCorruption || !options_.on_error) return changed;
  Error error = WithOwnNames(std::move(changed).error());
  options_.on_error(error);
  error.code = ErrorCode::kUnavailable;
  error.message += fmt::format("; nothing was changed, and reads go on: {}", model::kRepairRemedy);
  return error;
}

Result<PageBytes> RocksStore::GetPage(Family family, std::string_view key) const {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  if (family == Family::kData && options_.pages != nullptr) return options_.pages->Get(key);
  auto pinned = std::make_shared<rocksdb::PinnableSlice>();
  if (ThisThreadIsLent()) {
    // It must not wait for the disk before its owner has another one. What the cache does not have ends as Incomplete,
    // or, where the file itself is not open, as an empty value: pages are never empty.
    rocksdb::ReadOptions cached;
    cached.read_tier = rocksdb::kBlockCacheTier;
    const rocksdb::Status status = handles_->db->Get(cached, handles_->family(family), ToSlice(key), pinned.get());
    if (status.ok() && !pinned->empty()) return PageBytes{ToView(*pinned), std::move(pinned)};
    ThisThreadIsBusy();
    pinned->Reset();
  }
  const rocksdb::Status status =
      handles_->db->Get(rocksdb::ReadOptions(), handles_->family(family), ToSlice(key), pinned.get());
  if (!status.ok()) return FromRead(status, "reading a page").error();
  return PageBytes{ToView(*pinned), std::move(pinned)};
}

Result<std::optional<std::string>> RocksStore::Get(Family family, std::string_view key) const {
  ThisThreadIsBusy();
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  std::string value;
  const rocksdb::Status status =
      handles_->db->Get(rocksdb::ReadOptions(), handles_->family(family), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  TM_RETURN_IF_ERROR(FromRead(status, "reading a record"));
  return std::optional<std::string>(std::move(value));
}

Result<void> RocksStore::ForEach(Family family, std::string_view prefix, const VisitFn& visit) const {
  ThisThreadIsBusy();
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  const std::string end = PrefixEnd(prefix);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  if (!end.empty()) read.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> it(handles_->db->NewIterator(read, handles_->family(family)));
  for (it->Seek(ToSlice(prefix)); it->Valid(); it->Next()) {
    TM_RETURN_IF_ERROR(visit(ToView(it->key()), ToView(it->value())));
  }
  return FromRead(it->status(), "reading records");
}

Result<uint64_t> RocksStore::ForEachReadable(const PageKey& of_epoch, const VisitFn& visit) const {
  ThisThreadIsBusy();
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  if (options_.pages != nullptr) return options_.pages->VisitEpoch(of_epoch, visit);
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  // Damage of other epochs' files is not met on the way.
  read.table_filter = [number = fmt::format("{}", of_epoch.epoch),
                       database =
                           fmt::format("{}", model::Number(of_epoch.database))](const rocksdb::TableProperties& table) {
    const auto& own = table.user_collected_properties;
    const auto epoch = own.find("tidemark.epoch");
    const auto of = own.find("tidemark.database");
    return epoch != own.end() && of != own.end() && epoch->second == number && of->second == database;
  };
  const auto make = [&] {
    return std::unique_ptr<rocksdb::Iterator>(handles_->db->NewIterator(read, handles_->family(Family::kData)));
  };
  return VisitReadable(make, EpochKeys(of_epoch.database, of_epoch.partition_start_ns, of_epoch.epoch), visit);
}

uint64_t RocksStore::LatestSequence() const {
  ReaderLock lock(mutex_);
  return CheckOpen().ok() ? handles_->db->GetLatestSequenceNumber() : 0;
}

Result<void> RocksStore::Write(const RecordBatch& batch) {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  rocksdb::WriteBatch writes;
  for (const RecordBatch::Change& change : batch.changes_) {
    rocksdb::ColumnFamilyHandle* const family = handles_->family(change.family);
    rocksdb::Status status;
    switch (change.kind) {
      case RecordBatch::Kind::kPut: status = writes.Put(family, ToSlice(change.key), ToSlice(change.value)); break;
      case RecordBatch::Kind::kDelete: status = writes.Delete(family, ToSlice(change.key)); break;
      case RecordBatch::Kind::kDeleteRange:
        status = writes.DeleteRange(family, ToSlice(change.key), ToSlice(change.value));
        break;
    }
    TM_RETURN_IF_ERROR(FromRocks(status, "making a record"));
  }
  uint64_t largest = largest_change_bytes_.load();
  while (largest < writes.GetDataSize() &&
         !largest_change_bytes_.compare_exchange_weak(largest, writes.GetDataSize())) {
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromChange(handles_->db->Write(options, &writes), "writing index and meta");
}

std::string RocksStore::DamageBehind(std::string_view key) const {
  ReaderLock lock(mutex_);
  if (!CheckOpen().ok()) return {};  // whoever goes on is told
  // As RocksDB does it. What is read is in the cache then.
  rocksdb::ReadOptions read;
  read.total_order_seek = true;
  const std::unique_ptr<rocksdb::Iterator> at(handles_->db->NewIterator(read, handles_->family(Family::kData)));
  at->Seek(ToSlice(key));
  auto found = FromRead(at->status(), "reading the page behind it");
  return found.ok() ? std::string() : std::move(found).error().message;
}

Result<void> RocksStore::Ingest(const std::vector<std::string>& paths) {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  rocksdb::IngestExternalFileOptions options;
  options.move_files = true;
  options.write_global_seqno = false;
  options.allow_blocking_flush = false;
  // A file in level 0 would never be freed by DeleteFilesInRange. Epochs do not overlap, so every file fits below.
  options.fail_if_not_bottommost_level = true;
  const IngestGate::Visit visit(&ingest_gate_);
  const KeepingFileSystem::Guard keep(handles_->files.get());
  return FromChange(handles_->db->IngestExternalFile(handles_->family(Family::kData), paths, options),
                    "ingesting pages");
}

Result<void> RocksStore::DropFiles(const std::vector<KeyRange>& ranges) {
  std::vector<rocksdb::Slice> bounds;
  RecordBatch values;
  bool any_values = false;
  for (const KeyRange& range : ranges) {
    if (range.in_meta) {
      values.DeleteRange(Family::kMeta, range);
      any_values = true;
      continue;
    }
    bounds.push_back(ToSlice(range.first));
    bounds.push_back(ToSlice(range.end));
  }
  if (any_values) {
    FailurePoint("files.before_values_dropped");
    TM_RETURN_IF_ERROR(Write(values));
    FailurePoint("files.values_dropped");
  }
  if (bounds.empty()) return {};
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  std::vector<rocksdb::RangePtr> pointers;
  pointers.reserve(bounds.size() / 2);
  for (size_t i = 0; i < bounds.size(); i += 2) pointers.emplace_back(&bounds[i], &bounds[i + 1]);
  FailurePoint("files.before_drop");
  const rocksdb::Status status = rocksdb::DeleteFilesInRanges(handles_->db.get(), handles_->family(Family::kData),
                                                              pointers.data(), pointers.size(), /*include_end=*/false);
  FailurePoint("files.dropped");
  return FromChange(status, "dropping pages");
}

Result<std::vector<DataFile>> RocksStore::DataFiles() const {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  rocksdb::ColumnFamilyMetaData metadata;
  handles_->db->GetColumnFamilyMetaData(handles_->family(Family::kData), &metadata);
  std::vector<DataFile> files;
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      files.push_back({file.name, level.level, file.size, file.smallestkey, file.largestkey, true});
    }
  }
  return files;
}

Result<std::vector<RocksStore::LostTable>> RocksStore::LostTables() const {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  std::vector<rocksdb::LiveFileMetaData> files;
  handles_->db->GetLiveFilesMetaData(&files);
  std::vector<LostTable> lost;
  for (const rocksdb::LiveFileMetaData& file : files) {
    uint64_t bytes = 0;
    const rocksdb::Status there = handles_->env->GetFileSize(options_.directory + file.name, &bytes);
    std::string why;
    if (!there.ok()) {
      why = there.IsPathNotFound() || there.IsNotFound() ? "it is missing" : there.ToString();
    } else if (bytes != file.size) {
      why = fmt::format("it has {} bytes and was written with {}", bytes, file.size);
    } else {
      continue;
    }
    const bool pages = file.column_family_name == "data";
    lost.push_back({{file.name, file.level, file.size, file.smallestkey, file.largestkey, pages}, std::move(why)});
  }
  return lost;
}

Result<void> RocksStore::CheckFiles(const FileFn& visit) const {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  std::vector<rocksdb::LiveFileMetaData> files;
  handles_->db->GetLiveFilesMetaData(&files);
  const rocksdb::DBOptions db_options = MakeDbOptions(handles_->env.get(), {});
  for (const rocksdb::LiveFileMetaData& file : files) {
    const bool pages = file.column_family_name == "data";
    // A small cache of its own: blocks that were read whole need not be kept.
    const auto cache = rocksdb::NewLRUCache(0);
    const rocksdb::Options options(db_options, pages ? MakeDataOptions(cache) : MakeRecordOptions(cache));
    const rocksdb::Status status =
        rocksdb::VerifySstFileChecksum(options, rocksdb::EnvOptions(), options_.directory + file.name);
    visit({file.name, file.level, file.size, file.smallestkey, file.largestkey, pages}, FromRocks(status, "reading"));
  }
  return {};
}

Result<void> RocksStore::Flush() {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  for (const Family family : {Family::kIndex, Family::kMeta}) {
    // The index first: with names that meta does not count yet a start does nothing, without names that it counts on it
    // could not read.
    TM_RETURN_IF_ERROR(FromChange(handles_->db->Flush(rocksdb::FlushOptions(), handles_->family(family)), "flushing"));
    FailurePoint("files.family_flushed");
  }
  return {};
}

Result<void> RocksStore::CompactRecords() {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (const Family family : {Family::kIndex, Family::kMeta}) {
    TM_RETURN_IF_ERROR(FromChange(handles_->db->CompactRange(options, handles_->family(family), nullptr, nullptr),
                                  "compacting records"));
  }
  return {};
}

Result<std::vector<PageKey>> RocksStore::EpochsInMeta() const {
  ReaderLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  const std::string end = PrefixEnd(kPagePrefix);
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &end_slice;
  const std::unique_ptr<rocksdb::Iterator> it(handles_->db->NewIterator(read, handles_->family(Family::kMeta)));
  std::vector<PageKey> out;
  // One step per epoch, not per page.
  for (it->Seek(ToSlice(kPagePrefix)); it->Valid();) {
    TM_TRY_ASSIGN(const PageKey key, DecodePageKey(ToView(it->key()).substr(kPagePrefix.size())));
    out.push_back(key);
    const std::string next = EpochKeysInMeta(key.database, key.partition_start_ns, key.epoch).end;
    it->Seek(next);
  }
  TM_RETURN_IF_ERROR(FromRocks(it->status(), "reading the pages of small epochs"));
  return out;
}

Result<void> RocksStore::DropUnknownIndexes(const std::set<model::DatabaseId>& known) {
  std::set<model::DatabaseId> unknown;
  {
    ReaderLock lock(mutex_);
    TM_RETURN_IF_ERROR(CheckOpen());
    const std::unique_ptr<rocksdb::Iterator> it(
        handles_->db->NewIterator(rocksdb::ReadOptions(), handles_->family(Family::kIndex)));
    // One step per database, not per entry.
    for (it->SeekToFirst(); it->Valid();) {
      TM_TRY_ASSIGN(const model::DatabaseId id, DatabaseOfIndexKey(ToView(it->key())));
      if (!known.contains(id)) unknown.insert(id);
      const std::string next = DatabaseKeys(id).end;
      it->Seek(next);
    }
    TM_RETURN_IF_ERROR(FromRocks(it->status(), "reading the databases of the index"));
  }
  if (unknown.empty()) return {};
  RecordBatch batch;
  for (const model::DatabaseId id : unknown) batch.DeleteRange(Family::kIndex, DatabaseKeys(id));
  return Write(batch);
}

void RocksStore::DeleteLeftover(const std::string& path) {
  ReaderLock lock(mutex_);
  rocksdb::Env* const env = handles_->env.get();
  if (!env->FileExists(path).ok()) return;
  const rocksdb::Status status = env->DeleteFile(path);
  if (!status.ok()) TM_LOG(kWarn, "deleting {}: {}", path, status.ToString());
}

Result<void> RocksStore::SelfTest(const std::string& path, uint64_t bytes) {
  ReaderLock lock(mutex_);
  rocksdb::Env* const env = handles_->env.get();
  std::unique_ptr<rocksdb::WritableFile> file;
  rocksdb::Status status = env->NewWritableFile(path, &file, rocksdb::EnvOptions());
  if (status.ok()) status = file->Append(std::string(bytes, 'x'));
  if (status.ok()) status = file->Sync();
  if (file != nullptr) {
    const rocksdb::Status closed = file->Close();
    if (status.ok()) status = closed;
    // A file that could not be written is worth deleting all the more.
    const rocksdb::Status deleted = env->DeleteFile(path);
    if (status.ok()) status = deleted;
  }
  return FromRocks(status, "testing the disk");
}

Result<void> RocksStore::Enter() {
  WriterLock lock(mutex_);
  TM_RETURN_IF_ERROR(CheckOpen());
  handles_->CloseDb();
  read_only_ = false;
  auto entered = OpenLocked();
  if (entered.ok() || entered.error().code != ErrorCode::kResourceExhausted) return entered;
  // What was looked at is still there.
  read_only_ = true;
  TM_RETURN_IF_ERROR(OpenLocked());
  return entered;
}

Result<void> RocksStore::Recover() {
  // Writes wait for this, and the copying may be what has filled the disk.
  EndBackups();
  WriterLock lock(mutex_);
  if (closed_) return CheckOpen();
  if (handles_->db != nullptr) {
    if (handles_->db->Resume().ok()) return {};
    // Some errors never clear in 7.8; a database opened anew has none.
    TM_LOG(kWarn, "RocksDB does not resume; opening it anew");
    handles_->CloseDb();
  }
  return OpenLocked();
}

}  // namespace tidemark::storage::rocks
