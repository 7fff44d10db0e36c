#include "storage/partition/page_collector.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/base/check.h"

namespace tidemark::storage::partition {
namespace {

// Tiers are numbered in seven bits, and the last number is taken.
constexpr size_t kMaxTiers = rocks::kSketchTiers - 2;

}  // namespace

Result<std::vector<PartitionPage>> PageCollector::Spool(model::MeasurementId measurement,
                                                        std::vector<page::EncodedPage> pages) {
  std::vector<PartitionPage> out;
  out.reserve(pages.size());
  for (page::EncodedPage& page : pages) {
    PartitionPage& taken = out.emplace_back(PartitionPage{measurement, rocks::kRawTier, std::move(page)});
    if (spool_ == nullptr) continue;
    TM_TRY_ASSIGN(taken.spooled, spool_->Take(&taken.page.bytes));
  }
  return out;
}

Result<void> PageCollector::Take(model::MeasurementId measurement, std::vector<page::EncodedPage> pages) {
  if (pages.empty()) return {};
  TM_TRY_ASSIGN(std::vector<PartitionPage> taken, Spool(measurement, std::move(pages)));
  MutexLock lock(mutex_);
  raw_.insert(raw_.end(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
  return {};
}

Result<void> PageCollector::TakeTiers(model::MeasurementId measurement, PagesByWidth pages, ByWidth* to) {
  for (auto& [width_ns, of_width] : pages) {
    TM_TRY_ASSIGN(std::vector<PartitionPage> taken, Spool(measurement, std::move(of_width)));
    MutexLock lock(mutex_);
    std::vector<PartitionPage>& out = (*to)[width_ns];
    out.insert(out.end(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
  }
  return {};
}

Result<void> PageCollector::Take(model::MeasurementId measurement, TierBuilder::Pages pages) {
  TM_RETURN_IF_ERROR(TakeTiers(measurement, std::move(pages.tiers), &tiers_));
  return TakeTiers(measurement, std::move(pages.sketches), &sketches_);
}

void PageCollector::Note(model::TimeRange range) {
  MutexLock lock(mutex_);
  range_ = {std::min(range_.first, range.first), std::max(range_.last, range.last)};
}

PartitionPages PageCollector::Finish(PartitionBounds bounds, std::span<const RollupTier> named, SeriesList series) {
  MutexLock lock(mutex_);
  PartitionPages out;
  out.partition_start_ns = bounds.start_ns;
  out.partition_ns = bounds.length_ns();
  out.spool = spool_;
  out.rows_range = range_;
  out.series = std::make_shared<const SeriesList>(std::move(series));
  out.pages = std::exchange(raw_, {});
  // A tier that the database names is listed without a page too: the epoch need not be looked at for it again.
  for (const RollupTier& tier : named) tiers_.try_emplace(tier.width_ns);
  TM_CHECK(tiers_.size() <= kMaxTiers);
  for (auto& [width_ns, pages] : tiers_) {
    out.tier_widths_ns.push_back(width_ns);
    const auto tier = static_cast<uint8_t>(rocks::kRawTier + out.tier_widths_ns.size());
    for (PartitionPage& page : pages) {
      page.tier = tier;
      out.pages.push_back(std::move(page));
    }
    for (PartitionPage& page : sketches_[width_ns]) {
      page.tier = tier + rocks::kSketchTiers;
      out.pages.push_back(std::move(page));
    }
  }
  tiers_.clear();
  sketches_.clear();
  return out;
}

}  // namespace tidemark::storage::partition
