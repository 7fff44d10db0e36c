#include "storage/rocks/rocks_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <utility>

#include "storage/rocks/rocks_logger.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rocks {
namespace {

class ErrorListener final : public rocksdb::EventListener {
 public:
  explicit ErrorListener(RocksErrorFn on_error) : on_error_(std::move(on_error)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (on_error_) on_error_(FromRocks(*error, "RocksDB takes no writes").error());
  }

 private:
  RocksErrorFn on_error_;
};

}  // namespace

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, RocksErrorFn on_error) {
  rocksdb::DBOptions options;
  options.env = env;
  options.max_background_jobs = 2;
  // RocksDB's own LOG writer asserts when the disk is full; ours does not write to that disk.
  options.info_log = MakeRocksLogger();
  // Anything but a torn tail of RocksDB's log is an error at open, not a silently shorter database.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // Finds a log file that is gone. Only WriteOptions::sync may be used beside it: SyncWAL and FlushWAL(true) make
  // 7.8 report logs as missing that are not.
  options.track_and_verify_wals_in_manifest = true;
  // A new log would take 35 MB of a disk for what is mostly some kilobytes, and a full one has not got them.
  options.allow_fallocate = false;
  // Index and meta are small: their logs go once the buffers behind them are flushed.
  options.max_total_wal_size = uint64_t{64} << 20;
  // We decide when to try again (Store's self-test), so that refusing and resuming go together.
  options.max_bgerror_resume_count = 0;
  options.avoid_unnecessary_blocking_io = true;
  options.listeners.push_back(std::make_shared<ErrorListener>(std::move(on_error)));
  return options;
}

rocksdb::ColumnFamilyOptions MakeDataOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  // Smaller than a page, so that each page is a block of its own and is read and cached alone.
  table.block_size = 4096;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.cache_index_and_filter_blocks = true;
  table.pin_top_level_index_and_filter = true;

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  // Pages are compressed already.
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kNoCompression;
  // Epochs are folded by Store::Compact, which knows what they mean.
  options.disable_auto_compactions = true;
  options.level_compaction_dynamic_level_bytes = false;
  return options;
}

rocksdb::ColumnFamilyOptions MakeRecordOptions(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = size_t{32} << 20;
  // 7.8 can put flushes that were tried again into the wrong order when more than two buffers wait (fixed in 7.9).
  options.max_write_buffer_number = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.bottommost_compression = rocksdb::kZSTD;
  return options;
}

}  // namespace tidemark::storage::rocks
