// Epoch: what one checkpoint or fold wrote for one partition, as one SST or as values of `meta`. They go when it is no
// longer live and its last reader has gone: DeleteFilesInRange knows nothing of snapshots, so readers hold the Epoch
// instead.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_set.h"
#include "storage/partition/partition_pages.h"
#include "storage/rocks/graveyard.h"

namespace tidemark::storage::partition {

class Epoch final : public PageSet {
 public:
  Epoch(const meta::EpochRecord& record, std::shared_ptr<const rocks::RocksStore> rocks,
        std::shared_ptr<rocks::Graveyard> graveyard);
  ~Epoch() override;
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;

  [[nodiscard]] const meta::EpochRecord& record() const { return record_; }
  // Says that meta no longer names it: its file goes with the last reader.
  void Retire() const { retired_.store(true, std::memory_order_relaxed); }

  [[nodiscard]] model::TimeRange range() const override { return record_.range; }
  // Read from disk once, at the first call. One that is damaged is made anew of all pages that can be read, see Loss
  // and DirectoryDamage.
  [[nodiscard]] Result<const PageDirectory*> Directory() const override;
  [[nodiscard]] Result<rocks::PageBytes> Read(size_t index) const override;
  // Read from disk at each call: RocksDB's cache holds what is asked for often.
  [[nodiscard]] Result<std::shared_ptr<const SeriesList>> Series() const override;
  [[nodiscard]] page::Checksum checksum() const override { return page::Checksum::kVerify; }
  [[nodiscard]] std::string Loss() const override;
  // Why the list of pages that was written cannot be used, after Directory; "": it can.
  [[nodiscard]] std::string DirectoryDamage() const;
  [[nodiscard]] std::string Name(size_t index) const override;

 private:
  [[nodiscard]] Result<PageDirectory> ReadDirectory() const;
  [[nodiscard]] rocks::PageKey KeyOf(const PageInfo& page) const;
  [[nodiscard]] Result<rocks::PageBytes> GetPage(const rocks::PageKey& key) const;

  const meta::EpochRecord record_;
  const std::shared_ptr<const rocks::RocksStore> rocks_;
  const std::shared_ptr<rocks::Graveyard> graveyard_;
  mutable std::atomic<bool> retired_ = false;
  mutable std::atomic<const PageDirectory*> directory_ = nullptr;
  mutable Mutex mutex_;
  mutable std::unique_ptr<const PageDirectory> loaded_ TM_GUARDED_BY(mutex_);
  // Of a directory that is damaged: why, and how many pages could not be found; or that there are none.
  mutable std::string damage_ TM_GUARDED_BY(mutex_);
  mutable uint64_t missing_ TM_GUARDED_BY(mutex_) = 0;
  mutable std::optional<Error> hopeless_ TM_GUARDED_BY(mutex_);
};

// Writes pages (in key order) and their directory as epoch `record.epoch`: into the file `path`, which is then to be
// ingested, or, when they have less than `small_bytes`, as values that `values` is to bring into `meta` (the record
// says which). Fills the record's sizes and range. Scattered old rows make many small epochs: a file for each would
// cost more than they do. Where RocksDB would take in no table, because the one behind it is damaged where it begins,
// they become values as well; of much of them the first are written before `values` is.
Result<meta::EpochRecord> WriteEpoch(rocks::RocksStore* rocks, const std::string& path, uint64_t small_bytes,
                                     meta::EpochRecord record, const PartitionPages& pages,
                                     const PageDirectory& directory, rocks::RecordBatch* values);

}  // namespace tidemark::storage::partition
