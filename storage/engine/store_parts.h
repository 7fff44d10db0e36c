// StoreParts: what Writer, Checkpointer, Compactor, Deleter and Expiry share. Each of these has its own fields and
// locks; what is here is thread-safe by itself, set while the store is opened, or guarded by the lock that every call
// takes.
//
// The locks of a store, in the order in which they are taken:
//   StoreParts::open_mutex            shared by every call that needs the journal; exclusive to close
//   Compactor::compact_mutex_         one compaction at a time
//   Checkpointer::flush_mutex_        one freeze, checkpoint, deletion, drop or making of a merge live at a time
//   DatabaseTable::change_mutex       one creation, drop or change of options at a time
//   DatabaseTable::mutex_             the map of databases
//   the journal's                     inside Append
//   Line's                            the place in line: sequence, live set, ticket
//   Writer::resolvers_mutex_, HeadBudget's, StoreImpl::fold_mutex_, Compactor::seal_result_mutex_: nothing under them
//   locks of single objects           Database, MetaStore (held over RocksStore's), StagedSet, DefinitionLedger,
//                                     ChangeLog, Index, Epoch, Graveyard, Health, FindingList,
//                                     PageFindings, Unfoldable; never two of a kind
//   the watermark's                   under the journal's writer and under MetaStore's; nothing under it
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/deadline.h"
#include "storage/base/mutex.h"
#include "storage/base/scheduler.h"
#include "storage/disk/reserve.h"
#include "storage/engine/database_table.h"
#include "storage/engine/finding_list.h"
#include "storage/engine/head_budget.h"
#include "storage/engine/health.h"
#include "storage/engine/line.h"
#include "storage/journal/journal.h"
#include "storage/meta/meta_store.h"
#include "storage/partition/epoch.h"
#include "storage/rescue/page_findings.h"
#include "storage/retention/retention_clock.h"
#include "storage/rocks/own_files.h"
#include "storage/rocks/rocks_store.h"
#include "storage/storage.h"
#include "storage/watermark/watermark_file.h"

namespace tidemark::storage {

// Since the store was opened.
struct StoreCounters {
  std::atomic<uint64_t> rows_written = 0;
  std::atomic<uint64_t> points_written = 0;
  std::atomic<uint64_t> rows_rejected = 0;
  std::atomic<uint64_t> checkpoints = 0;
  std::atomic<uint64_t> checkpoint_failures = 0;
  std::atomic<int64_t> last_checkpoint_ns = 0;
  std::atomic<int64_t> recovery_ns = 0;
  std::atomic<uint64_t> recovered_points = 0;
  std::atomic<uint64_t> series_loaded = 0;
  std::atomic<uint64_t> seals = 0;
  std::atomic<uint64_t> seal_failures = 0;
  std::atomic<uint64_t> seal_queue = 0;
  std::atomic<uint64_t> seal_bytes_read = 0;
  std::atomic<uint64_t> seal_bytes_written = 0;
  std::atomic<int64_t> last_seal_ns = 0;
  std::atomic<uint64_t> merges = 0;
  std::atomic<uint64_t> partitions_merged = 0;
  std::atomic<uint64_t> splits = 0;
};

struct StoreParts {
  explicit StoreParts(StoreOptions wanted);

  // Where the file of an epoch is written before RocksDB takes it in.
  [[nodiscard]] std::string StagingPath(uint64_t epoch) const;
  [[nodiscard]] std::string StagingDirectory() const { return options.directory + "/staging"; }
  [[nodiscard]] std::shared_ptr<const partition::Epoch> MakeEpoch(const meta::EpochRecord& record) const;
  [[nodiscard]] DatabasePtr MakeDatabase(const meta::DatabaseRecord& record) const;
  [[nodiscard]] uint64_t HeadBytes() const;
  [[nodiscard]] uint64_t SlabBytes() const;
  // Whether the store's own files are all there. From the first time that one is not, writes are refused for good: what
  // is acknowledged would be lost with the process.
  Result<void> CheckOwnFiles();
  // What RocksDB says on its own: what it cannot read makes the store read-only until it is opened again, a disk that
  // fails or is full until a self-test passes. May be called under any lock of the list above that is RocksStore's or
  // comes before it.
  void ReportRocks(const Error& error);
  // Success while the store may change what is on disk; otherwise why not.
  [[nodiscard]] Result<void> CheckMayWrite() const;
  // Before an act that gives space back: on a full disk it gets the reserve, RocksDB takes changes again, and writes
  // are refused until the reserve is whole. Elsewhere nothing. What still fails says so itself.
  void MakeRoom();
  // Before a store is opened for writing.
  void MakeRoomToEnter();
  // Once a second, of the background: keeps the reserve as large as it is to be.
  void KeepReserve();
  // Before a checkpoint of all records up to `place` is committed.
  Result<void> NoteCheckpoint(const LinePlace& place);
  // Commits what somebody asked for. Where the disk does not say whether it took it, the error does say so.
  Result<void> CommitAct(meta::MetaChange change);
  // Of a store that refuses writes: tests the disk, at most once a second, and lets writes in again when it works.
  Result<void> TryResume();

  const StoreOptions options;
  InlineScheduler inline_scheduler;
  const std::shared_ptr<rocksdb::FileSystem> files;
  Clock& clock;
  // By which rows grow old; nothing else tells of that.
  retention::RetentionClock retention_clock;
  Scheduler& scheduler;
  const uint32_t head_shards;
  // Memory of heads, of all databases: as much as may be staged is kept for the next rows.
  const std::shared_ptr<head::BlockPool> blocks;
  const std::shared_ptr<rocks::Graveyard> graveyard = std::make_shared<rocks::Graveyard>();
  const std::shared_ptr<std::atomic<uint64_t>> corrupt_pages = std::make_shared<std::atomic<uint64_t>>(0);
  Health health;
  FindingList findings;
  rescue::PageFindings page_findings;
  StoreCounters counters;
  std::atomic<uint64_t> points_since_checkpoint = 0;

  std::shared_ptr<rocks::RocksStore> rocks;
  std::unique_ptr<meta::MetaStore> meta;
  std::unique_ptr<journal::Journal> journal;
  std::string store_id;       // of the identity file; "" while it is not known
  rocks::OwnFiles own_files;  // none until the store is open for writing
  // Null until then.
  std::unique_ptr<watermark::WatermarkFile> watermark;
  disk::Reserve reserve;
  std::atomic<int64_t> reserve_kept_at_ns = 0;  // of the steady clock

  DatabaseTable databases;
  Line line;
  HeadBudget heads;

  // Only reads are served, and nothing on disk may change: an open found damage, or RocksDB met some. For good.
  std::atomic<bool> read_only = false;
  // Whether damage that was met at work is a finding: many threads meet it.
  std::atomic_flag damage_reported;

  mutable SharedMutex open_mutex;
  std::atomic<bool> closing = false;
  // By which the last checkpoint is to be done: set by Close.
  Deadline end_of_checkpoints;
  bool closed TM_GUARDED_BY(open_mutex) = false;
};

}  // namespace tidemark::storage
