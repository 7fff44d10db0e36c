// SketchScan: the SketchCursor of a view: sketches of epochs that are reduced to tiers. Rows that are still there are
// in none, also where a bucket goes on into them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/rollup/sketch_page.h"
#include "storage/storage.h"
#include "storage/view/scan_cursor.h"

namespace tidemark::storage::view {

class SketchScan final : public SketchCursor {
 public:
  SketchScan(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs, model::TimeRange range,
             int64_t width_ns);

  Result<bool> Next(SketchColumn* column) override;
  [[nodiscard]] std::vector<std::string> Warnings() const override { return warnings_.texts(); }

 private:
  static constexpr size_t kNone = ~size_t{0};
  struct Tier {
    uint8_t number = 0;
    int64_t width_ns = 0;
    size_t open = kNone;
    rocks::PageBytes bytes;
    std::optional<rollup::SketchReader> reader;
  };
  struct Source {
    const partition::Epoch* epoch = nullptr;
    const partition::PageDirectory* directory = nullptr;
    retention::SourceMasks masks;
    std::vector<Tier> tiers;  // that can answer, widest first
  };

  void OpenSources();
  // Of the buckets of the range, of which there are some.
  [[nodiscard]] model::TimeRange BucketTimes() const;
  // Adds what `source` has of the series to the buckets.
  Result<void> Read(Source& source, model::MeasurementId measurement, model::SeriesRef ref);
  // false: the tier does not have it.
  Result<bool> ReadTier(Source& source, Tier& tier, model::MeasurementId measurement, model::SeriesRef ref);

  const std::shared_ptr<const Pinned> pinned_;
  const std::span<const model::SeriesRef> refs_;
  const int64_t width_ns_;
  int64_t first_bucket_ = 0;  // the range has buckets [first_bucket_, end_bucket_)
  int64_t end_bucket_ = 0;
  partition::ScanWarnings warnings_;
  std::vector<Source> sources_;
  size_t at_ = 0;
  rollup::SketchArrays arrays_;
  std::map<int64_t, model::QuantileSketch> sketches_;  // by bucket
  std::vector<uint32_t> ends_;
  std::vector<model::SketchBin> bins_;
};

}  // namespace tidemark::storage::view
