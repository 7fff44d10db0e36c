// TierBuilder: the rollup tiers of columns, and the sketches of those whose rows are about to go.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "storage/codec/int_codec.h"
#include "storage/model/column.h"
#include "storage/model/ids.h"
#include "storage/page/encoded_page.h"
#include "storage/rollup/sketch_page.h"
#include "storage/rollup/tier_writer.h"
#include "storage/storage.h"

namespace tidemark::storage::partition {

// The widths of the tiers of one column, ascending, each once: the first that is worth its bytes (at least
// rollup::kMinRowsPerBucket rows per bucket on average), the next one (rollup::kTierFactor times as wide), and those
// that the database names. None for strings and bools.
std::vector<int64_t> TierWidthsOf(const model::Column& column, std::span<const RollupTier> named);

struct BuildOptions {
  bool tiers = false;                  // whether to build rollup tiers
  std::vector<RollupTier> named = {};  // that the database names
  codec::Effort effort = codec::Effort::kFast;
  // false: only the named tiers are wanted, and sketches with them, of rows that are about to go.
  bool raw = true;
};

// Pages by the width of their tier: tiers get their numbers when all widths are known.
using PagesByWidth = std::map<int64_t, std::vector<page::EncodedPage>>;

// Not thread-safe.
class TierBuilder {
 public:
  // `options` outlives it.
  explicit TierBuilder(const BuildOptions* options) : options_(*options) {}

  // For each field series strictly ascending, each once.
  void Add(model::SeriesId series, const model::Column& column);
  // The same of a column that comes piece by piece, of raw rows that stay. First Begin with how many rows the series
  // has about, from when to when; then each piece begins behind a bucket of piece_width_ns; then End.
  void Begin(model::SeriesRef ref, model::FieldType type, size_t rows, model::TimeRange range);
  // 0: the pieces may be cut anywhere. kWhole: nowhere, because the tiers are no multiples of the narrowest one.
  static constexpr int64_t kWhole = std::numeric_limits<int64_t>::max();
  [[nodiscard]] int64_t piece_width_ns() const { return piece_width_ns_; }
  void AddPiece(const model::Column& piece);
  void End();
  // Whether anything of the column comes into a page, raw pages included.
  [[nodiscard]] bool Keeps(const model::Column& column) const { return options_.raw || !WidthsOf(column).empty(); }

  struct Pages {
    PagesByWidth tiers;
    PagesByWidth sketches;
  };
  // What has been added, which was of one measurement. It is empty afterwards.
  Pages Finish();

 private:
  [[nodiscard]] std::vector<int64_t> WidthsOf(const model::Column& column) const;

  const BuildOptions& options_;
  std::map<int64_t, rollup::TierWriter> tier_writers_;  // by width
  std::map<int64_t, rollup::SketchWriter> sketch_writers_;
  // Of the column that comes piece by piece.
  model::SeriesRef ref_;
  std::vector<int64_t> widths_;  // all of them multiples of piece_width_ns_, which is the first, or none
  int64_t piece_width_ns_ = 0;
  bool may_hide_ = false;
  rollup::BucketArrays built_;
};

}  // namespace tidemark::storage::partition
