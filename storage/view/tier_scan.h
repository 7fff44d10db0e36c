// TierScan: the TierCursor of a view. A bucket is trusted only if all rows that fall into it are in tiers: a row of a
// slab or of a head takes the trust away, and so does one of an epoch whose tier leaves its series out, and a deletion.
// Where several epochs have rows in one bucket they are put together if one epoch's rows all come before the other's
// (as they do on both sides of a border between partitions), and not trusted otherwise. A bucket that nothing falls
// into is trusted and empty.
//
// An epoch without a tier of the width that is asked for answers from a narrower one that divides it.
//
// An epoch that is reduced to tiers has no rows to fall back on: its buckets always count. They stay apart from rows
// that are still there. Of the bucket that goes on into raw rows, at the border to the partition behind, only the rows
// that are gone count; whoever asks reads the others. A deletion takes every bucket whole that has times of it, the
// narrowest that there are.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage/rollup/tier_reader.h"
#include "storage/storage.h"
#include "storage/view/scan_cursor.h"

namespace tidemark::storage::view {

class TierScan final : public TierCursor {
 public:
  TierScan(std::shared_ptr<const Pinned> pinned, std::span<const model::SeriesRef> refs, model::TimeRange range,
           int64_t width_ns);

  Result<bool> Next(TierColumn* column) override;
  [[nodiscard]] std::vector<std::string> Warnings() const override { return lost_; }

 private:
  static constexpr size_t kNone = ~size_t{0};

  // A tier of an epoch, and its page that is open.
  struct OpenTier {
    uint8_t tier = 0;
    int64_t width_ns = 0;
    size_t open = kNone;
    rocks::PageBytes bytes;
    std::optional<rollup::TierReader> reader;
  };
  // One epoch or slab: its tiers, and its rows where it has none.
  struct Source {
    const partition::PageSet* pages = nullptr;
    std::unique_ptr<partition::PageSource> raw;
    const partition::PageDirectory* directory = nullptr;
    std::vector<OpenTier> tiers;   // that can answer, widest first
    bool unreadable = false;       // its directory is damaged
    bool reduced = false;          // has tiers only
    retention::SourceMasks masks;  // of a reduced one
  };
  // Buckets [first, end) by their numbers.
  struct Grid {
    int64_t first = 0;
    int64_t end = 0;
  };

  [[nodiscard]] Grid MakeGrid(model::TimeRange range) const;
  // The series' buckets out of the widest tier of the source that has it, as wide as asked for. false: no tier has
  // it. A damaged page counts as such.
  Result<bool> ReadTiers(Source& source, model::MeasurementId measurement, model::SeriesRef ref,
                         rollup::BucketArrays* out);
  Result<bool> ReadTier(Source& source, OpenTier& tier, model::MeasurementId measurement, model::SeriesRef ref,
                        rollup::BucketArrays* out);
  // Puts the buckets of parts_[part] into their slots.
  void TakeBuckets(size_t part);
  Result<void> ReadReduced(Source& source, model::MeasurementId measurement, model::SeriesRef ref);
  Result<void> ReadWithRaw(Source& source, model::MeasurementId measurement, model::SeriesRef ref);
  // Leaves nothing but rows that are gone in the buckets of reduced epochs and in the one on the border.
  void KeepGoneApart();
  // The two buckets as one; false when their rows may overlap.
  bool JoinBuckets(size_t slot, size_t part, size_t index);
  // Fills the arrays that the column shows.
  void Publish(TierColumn* column);
  void PublishWords(uint8_t scale, bool increase, TierColumn* column);
  void Distrust(const model::Column& column);
  // Buckets that have times of `range`.
  void DistrustRange(model::TimeRange range);

  const std::shared_ptr<const Pinned> pinned_;
  const std::span<const model::SeriesRef> refs_;
  const int64_t width_ns_;
  Grid grid_;
  model::TimeRange range_;  // of the grid
  partition::ScanWarnings warnings_;
  std::vector<Source> sources_;
  bool any_reduced_ = false;
  std::optional<size_t> border_;  // the slot of the last time whose rows are gone
  std::vector<const MarkedSet*> heads_;
  std::vector<const retention::Mask*> masks_;  // that apply to some epoch
  size_t at_ = 0;

  partition::BufferPool buffers_;
  std::vector<model::Column> pieces_;
  // What the sources have of the present series; and buckets put together. Their memory stays.
  std::vector<rollup::BucketArrays> parts_;
  size_t parts_used_ = 0;
  struct Slot {
    uint32_t part = kEmpty;
    uint32_t index = 0;
  };
  static constexpr uint32_t kEmpty = ~uint32_t{0};
  std::vector<Slot> slots_;
  std::vector<std::pair<size_t, Slot>> reduced_;  // slots with buckets of reduced epochs, and these alone
  std::vector<std::string> lost_;
  std::vector<uint8_t> trusted_;
  std::vector<uint64_t> count_;
  std::vector<double> sum_, min_, max_, first_, last_, increases_;
  std::vector<int64_t> first_ns_, last_ns_;
  std::vector<int64_t> sum_words_, first_words_, last_words_, increase_words_;
};

}  // namespace tidemark::storage::view
