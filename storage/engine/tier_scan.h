// TierScan: the TierCursor of a view. A bucket is trusted only if all rows that fall into it are in the tier of one
// epoch: a row of any other epoch, of a slab or of a head takes the trust away, and so does one of the same epoch that
// its tier leaves out. A bucket that nothing falls into is trusted and empty.
//
// The bucket that ends at the start of a partition has rows in two partitions where a row lies exactly on the border;
// it is not trusted then.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/engine/scan_cursor.h"
#include "storage/rollup/tier_reader.h"
#include "storage/storage.h"

namespace tidemark::storage {

class TierScan final : public TierCursor {
 public:
  TierScan(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs, model::TimeRange range,
           int64_t width_ns);

  Result<bool> Next(TierColumn* column) override;

 private:
  static constexpr size_t kNone = ~size_t{0};

  // One epoch or slab: its tier page that is open, and its rows where it has no tier.
  struct Source {
    const PageSet* pages = nullptr;
    std::unique_ptr<PageSource> raw;
    const PageDirectory* directory = nullptr;
    uint8_t tier = 0;  // 0: it has none of this width
    size_t open = kNone;
    PageBytes bytes;
    std::optional<rollup::TierReader> reader;
  };
  // Buckets [first, end) by their numbers.
  struct Grid {
    int64_t first = 0;
    int64_t end = 0;
  };

  [[nodiscard]] Grid MakeGrid(model::TimeRange range) const;
  // false: the tier of this source does not have the series. A damaged page counts as such.
  Result<bool> ReadTier(Source& source, model::MeasurementId measurement, model::SeriesRef ref);
  void TakeBuckets();
  void Distrust(const model::Column& column);
  // Buckets that have times of `range`.
  void DistrustRange(model::TimeRange range);

  const std::shared_ptr<const Pinned> pinned_;
  const std::span<const model::SeriesRef> refs_;
  const int64_t width_ns_;
  Grid grid_;
  model::TimeRange range_;  // of the grid
  ScanWarnings warnings_;
  std::vector<Source> sources_;
  std::vector<const MarkedSet*> heads_;
  std::vector<const Mask*> masks_;  // that apply to some epoch
  size_t at_ = 0;

  BufferPool buffers_;
  std::vector<model::Column> pieces_;
  rollup::BucketArrays arrays_;
  bool exact_ = true;
  bool increase_ = true;
  std::vector<uint8_t> trusted_;
  std::vector<uint8_t> taken_;  // buckets that a tier has filled
  std::vector<uint64_t> count_;
  std::vector<double> sum_, min_, max_, first_, last_, increases_;
  std::vector<int64_t> first_ns_, last_ns_;
};

}  // namespace tidemark::storage
