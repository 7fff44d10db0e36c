// Epoch: what one checkpoint or fold wrote for one partition, as one SST or as values of `meta`. They go when it is no
// longer live and its last reader has gone: DeleteFilesInRange knows nothing of snapshots, so readers hold the Epoch
// instead.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/engine/graveyard.h"
#include "storage/engine/meta_records.h"
#include "storage/engine/page_set.h"
#include "storage/engine/partition_pages.h"

namespace tidemark::storage {

class Epoch final : public PageSet {
 public:
  Epoch(const EpochRecord& record, std::shared_ptr<const RocksStore> rocks, std::shared_ptr<Graveyard> graveyard);
  ~Epoch() override;
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  [[nodiscard]] const EpochRecord& record() const { return record_; }
  // Says that meta no longer names it: its file goes with the last reader.
  void Retire() const { retired_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] model::TimeRange range() const override { return record_.range; }
  // Read from disk once, at the first call.
  [[nodiscard]] Result<const PageDirectory*> Directory() const override;
  [[nodiscard]] Result<PageBytes> Read(size_t index) const override;
  // Read from disk at each call: RocksDB's cache holds what is asked for often.
  [[nodiscard]] Result<std::shared_ptr<const SeriesList>> Series() const override;
  [[nodiscard]] page::Checksum checksum() const override { return page::Checksum::kVerify; }
  [[nodiscard]] std::string Name(size_t index) const override;

 private:
  [[nodiscard]] PageKey KeyOf(const PageInfo& page) const;
  [[nodiscard]] Result<PageBytes> GetPage(const PageKey& key) const;

  const EpochRecord record_;
  const std::shared_ptr<const RocksStore> rocks_;
  const std::shared_ptr<Graveyard> graveyard_;
  mutable std::atomic<bool> retired_ = false;
  mutable std::atomic<const PageDirectory*> directory_ = nullptr;
  mutable Mutex mutex_;
  mutable std::unique_ptr<const PageDirectory> loaded_ TM_GUARDED_BY(mutex_);
};

// Writes pages (in key order) and their directory as epoch `record.epoch`: into the file `path`, which is then to be
// ingested, or, when they have less than `small_bytes`, as values that `values` is to bring into `meta` (the record
// says which). Fills the record's sizes and range. Scattered old rows make many small epochs: a file for each would
// cost more than they do.
Result<EpochRecord> WriteEpoch(RocksStore* rocks, const std::string& path, uint64_t small_bytes, EpochRecord record,
                               const PartitionPages& pages, const PageDirectory& directory, RecordBatch* values);

}  // namespace tidemark::storage
