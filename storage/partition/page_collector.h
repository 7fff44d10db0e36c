// PageCollector: takes the pages of one partition as they are made, in any order, and numbers the tiers when all of
// them are there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/partition/partition_bounds.h"
#include "storage/partition/partition_pages.h"
#include "storage/partition/tier_builder.h"

namespace tidemark::storage::partition {

// Thread-safe.
class PageCollector {
 public:
  // Null: pages keep their bytes.
  explicit PageCollector(std::shared_ptr<PageSpool> spool = nullptr) : spool_(std::move(spool)) {}

  // Raw pages of `measurement`, or timelines (measurement 0). Errors: those of the spool.
  Result<void> Take(model::MeasurementId measurement, std::vector<page::EncodedPage> pages);
  Result<void> Take(model::MeasurementId measurement, TierBuilder::Pages pages);
  // Times of rows that went in.
  void Note(model::TimeRange range);

  // Everything that was taken. `named`: tiers that are listed also where they have no page. It is empty afterwards.
  PartitionPages Finish(PartitionBounds bounds, std::span<const RollupTier> named, SeriesList series);

 private:
  using ByWidth = std::map<int64_t, std::vector<PartitionPage>>;
  Result<std::vector<PartitionPage>> Spool(model::MeasurementId measurement, std::vector<page::EncodedPage> pages);
  Result<void> TakeTiers(model::MeasurementId measurement, PagesByWidth pages, ByWidth* to);

  const std::shared_ptr<PageSpool> spool_;
  Mutex mutex_;
  std::vector<PartitionPage> raw_ TM_GUARDED_BY(mutex_);
  ByWidth tiers_ TM_GUARDED_BY(mutex_);
  ByWidth sketches_ TM_GUARDED_BY(mutex_);
  model::TimeRange range_ TM_GUARDED_BY(mutex_){model::Timestamp::Max(), model::Timestamp::Min()};
};

}  // namespace tidemark::storage::partition
