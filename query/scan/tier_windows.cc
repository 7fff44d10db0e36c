#include "query/scan/tier_windows.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "query/frame/samples.h"
#include "query/frame/time_math.h"
#include "query/plan/rollup_choice.h"
#include "query/scan/extrapolation.h"
#include "query/scan/row_reader.h"
#include "query/scan/sketch_fold.h"
#include "query/scan/tier_choice.h"
#include "query/scan/tier_part.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::scan {
namespace {

using frame::FloorMs;
using frame::Frame;
using frame::LabelArena;
using frame::MsToSeconds;
using frame::Samples;
using plan::FloorTo;
using plan::Interval;
using promql::Rollup;
using run::QueryState;
using run::Reservation;
using run::Resolution;

// Series per block. Every block opens the pages of its tiers anew, so there are few blocks where there is little to do.
size_t TierBlockSize(size_t series, const WindowSpec& windows, int64_t width_ns) {
  constexpr double kBucketsWorthSpreading = 1 << 18;
  const model::TimeRange range = windows.Range();
  const double length_ns = static_cast<double>(range.last.ns) - static_cast<double>(range.first.ns);
  const bool spread = static_cast<double>(series) * length_ns / static_cast<double>(width_ns) >= kBucketsWorthSpreading;
  if (spread) return ScanBlockSize(series, windows);
  constexpr size_t kCells = 1 << 18;
  return std::clamp<size_t>(kCells / windows.grid.count, 1, 512);
}

// One block of series. Buckets are numbered from the first that any window uses.
class TierBlock {
 public:
  TierBlock(std::span<const model::SeriesRef> refs, const ScanSpec& spec, Rollup rollup, int64_t width_ns,
            QueryState* state)
      : refs_(refs),
        spec_(spec),
        rollup_(rollup),
        needs_(NeedsOf(rollup)),
        width_ns_(width_ns),
        gone_(GoneIn(spec.windows.Range(), width_ns, *state)),
        state_(state) {
    // Whoever asks for a tier gets its sums; otherwise they must be what rows would give.
    strict_ = (needs_.sums || needs_.changes) && !gone_ && state->context().resolution.kind == Resolution::Kind::kAuto;
    const WindowSpec& windows = spec.windows;
    for (size_t step = 0; step < windows.grid.count; ++step) {
      windows_.push_back(windows.Window(step));
      splits_.push_back(gone_ ? plan::SplitGone(windows_.back(), width_ns, *gone_)
                              : plan::Split(windows_.back(), width_ns));
      pieces_.push_back(splits_.back().head);
      pieces_.push_back(splits_.back().tail);
      Cover(splits_.back().buckets);
      Cover(splits_.back().gone);
      Cover(BucketBefore(step));
    }
  }

  // False: raw rows alone are the better way.
  Result<bool> Run(Frame* out) {
    if (covered_.length_ns() == 0 && !gone_) return false;
    buckets_ = static_cast<size_t>(covered_.length_ns() / width_ns_);
    if (IsAligned()) {
      TM_TRY_ASSIGN(const Aligned aligned, RunAligned(out));
      if (aligned != Aligned::kNeedsRows) return aligned == Aligned::kDone;
      used_buckets_ = 0;
    }
    Reservation memory(state_);
    TM_RETURN_IF_ERROR(memory.Set(refs_.size() * buckets_ * sizeof(TierPart)));
    parts_.resize(refs_.size() * buckets_);
    TM_RETURN_IF_ERROR(ReadBuckets());
    const std::vector<Interval> stretches = plan::Join(pieces_);
    maybe_more_ = false;
    if (!gone_ && !plan::WorthTier(stretches, plan::Join(windows_))) return false;
    TM_RETURN_IF_ERROR(memory.Set(refs_.size() * (buckets_ + pieces_.size()) * sizeof(TierPart)));
    piece_parts_.resize(refs_.size() * pieces_.size());
    for (const Interval& pass : Passes(stretches)) TM_RETURN_IF_ERROR(ReadRaw(pass, stretches));
    if (!Fold(out)) return false;
    TM_RETURN_IF_ERROR(state_->CountSamples(rows_, refs_.size()));
    state_->CountTierBuckets(used_buckets_, width_ns_);
    return true;
  }

 private:
  // Widens what is read by the buckets that have times of `interval`.
  void Cover(const Interval& interval) {
    if (interval.length_ns() <= 0) return;
    const Interval buckets = plan::WholeBuckets(interval, width_ns_);
    if (covered_.length_ns() == 0) covered_ = buckets;
    covered_ = {std::min(covered_.after_ns, buckets.after_ns), std::max(covered_.last_ns, buckets.last_ns)};
  }

  // Where a window narrower than a bucket may have no row that is known, the newest one for as long as a bucket is wide
  // answers, as it does for a plain selector.
  [[nodiscard]] Interval BucketBefore(size_t step) const {
    const Interval& window = windows_[step];
    if (!gone_ || CutAsOf(rollup_) != CutAs::kEnds || window.length_ns() >= width_ns_ || window.length_ns() <= 0 ||
        window.last_ns > gone_->last_ns) {
      return {};
    }
    return plan::Meet({window.last_ns - width_ns_, window.last_ns}, *gone_);
  }

  enum class Aligned : uint8_t { kDone, kNeedsRows, kOtherBits };

  // Whether every window is made of buckets.
  [[nodiscard]] bool IsAligned() const {
    return std::ranges::all_of(splits_, [](const plan::SplitWindow& split) {
      return split.head.length_ns() == 0 && split.tail.length_ns() == 0;
    });
  }

  // Series after series without a place for all of their buckets, as long as no rows are needed.
  Result<Aligned> RunAligned(Frame* out) {
    const auto cursor = state_->view().ScanTier(refs_, {{covered_.after_ns + 1}, {covered_.last_ns}}, width_ns_);
    storage::TierColumn column;
    FrameMaker maker(this, out);
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a tier ended before its last series");
      maker.BeginRow();
      for (size_t step = 0; step < windows_.size(); ++step) {
        const auto bucket_at = [&](int64_t start, TierPart* part) {
          const Known known = BucketOf(column, start, part);
          if (known == Known::kBucket) ++used_buckets_;
          return known != Known::kNeedsRows;
        };
        TierPart part;
        if (!AddBuckets(splits_[step].gone, bucket_at, &part) || !AddBuckets(splits_[step].buckets, bucket_at, &part)) {
          return Aligned::kNeedsRows;
        }
        if (part.count == 0 && !AddNewestKnown(step, bucket_at, &part)) return Aligned::kNeedsRows;
        if (HasOtherBits(part)) return Aligned::kOtherBits;
        maker.Set(step, Value(part, step));
      }
      maker.EndRow(refs_[s]);
    }
    maker.Finish();
    for (std::string& warning : cursor->Warnings()) state_->WarnMissing(std::move(warning));
    TM_RETURN_IF_ERROR(state_->CountSamples(0, refs_.size()));
    TM_RETURN_IF_ERROR(state_->CheckInterrupt());
    state_->CountTierBuckets(used_buckets_, width_ns_);
    return Aligned::kDone;
  }

  // Makes the rows of a frame; series without a value have none.
  class FrameMaker {
   public:
    FrameMaker(TierBlock* block, Frame* out) : block_(block), out_(out) { *out_ = Frame(block_->windows_.size()); }
    void BeginRow() {
      row_ = out_->AddRow({.labels = {}, .name = block_->spec_.name});
      any_ = false;
    }
    void Set(size_t step, std::optional<double> value) {
      if (!value) return;
      out_->RowValues(row_)[step] = *value;
      out_->RowPresent(row_)[step] = 1;
      any_ = true;
    }
    void EndRow(model::SeriesRef ref) {
      if (!any_) {
        out_->Resize(row_);
        return;
      }
      if (!block_->spec_.labels) return;
      block_->state_->view().LabelsOf(ref, &labels_);
      out_->rows[row_].labels = arena_->Store(labels_);
    }
    void Finish() { block_->state_->Keep(std::move(arena_)); }

   private:
    TierBlock* block_;
    Frame* out_;
    std::unique_ptr<LabelArena> arena_ = std::make_unique<LabelArena>();
    model::LabelViews labels_;
    size_t row_ = 0;
    bool any_ = false;
  };

  // Stretches that lie so near to each other that their pages are opened once for all, and the rows between them read
  // in vain.
  [[nodiscard]] std::vector<Interval> Passes(const std::vector<Interval>& stretches) const {
    // Opening a page and finding a series in it takes as long as reading so many of its rows.
    constexpr double kRowsOfOpening = 512;
    std::vector<Interval> passes;
    for (const Interval& stretch : stretches) {
      const bool near = !passes.empty() && rows_per_ns_ > 0 &&
                        rows_per_ns_ * static_cast<double>(stretch.after_ns - passes.back().last_ns) < kRowsOfOpening;
      if (near) {
        passes.back().last_ns = stretch.last_ns;
      } else {
        passes.push_back(stretch);
      }
    }
    return passes;
  }

  // Fills parts_ and rows_per_ns_, and adds buckets that cannot be trusted to pieces_.
  Status ReadBuckets() {
    raw_piece_of_bucket_.assign(buckets_, kNoPiece);
    if (buckets_ == 0) return {};
    std::vector<uint8_t> untrusted(buckets_);
    double rows = 0;
    uint64_t trusted = 0;
    const auto cursor = state_->view().ScanTier(refs_, {{covered_.after_ns + 1}, {covered_.last_ns}}, width_ns_);
    storage::TierColumn column;
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a tier ended before its last series");
      for (size_t b = 0; b < buckets_; ++b) {
        TierPart& part = parts_[s * buckets_ + b];
        if (BucketOf(column, covered_.after_ns + static_cast<int64_t>(b) * width_ns_, &part) != Known::kNeedsRows) {
          rows += part.count;
          ++trusted;
          continue;
        }
        untrusted[b] = 1;
        part.raw = true;
      }
    }
    for (std::string& warning : cursor->Warnings()) state_->WarnMissing(std::move(warning));
    if (trusted > 0) rows_per_ns_ = rows / static_cast<double>(trusted) / static_cast<double>(width_ns_);
    for (size_t b = 0; b < buckets_; ++b) {
      if (untrusted[b] == 0) continue;
      const int64_t start = covered_.after_ns + static_cast<int64_t>(b) * width_ns_;
      raw_piece_of_bucket_[b] = pieces_.size();
      pieces_.push_back({start, start + width_ns_});
    }
    return {};
  }

  [[nodiscard]] bool IsGone(int64_t start_ns) const { return gone_ && start_ns < gone_->last_ns; }

  // Series that fall often have none; their rows have, where there are any.
  [[nodiscard]] bool LacksIncrease(const storage::TierColumn& column, size_t i, int64_t start_ns) const {
    if (!needs_.changes || column.count[i] == 0 || IsGone(start_ns)) return false;
    return column.increase == nullptr || std::isnan(column.increase[i]);
  }

  enum class Known : uint8_t { kEmpty, kBucket, kNeedsRows };

  // The bucket of a column that begins at `start_ns`.
  [[nodiscard]] Known BucketOf(const storage::TierColumn& column, int64_t start_ns, TierPart* part) const {
    const int64_t index = (start_ns - column.first_start_ns) / width_ns_;
    if (start_ns < column.first_start_ns || index >= static_cast<int64_t>(column.buckets)) {
      // A cursor has all buckets of what is gone.
      return IsGone(start_ns) ? Known::kEmpty : Known::kNeedsRows;
    }
    const auto i = static_cast<size_t>(index);
    if (column.trusted[i] == 0 || LacksIncrease(column, i, start_ns)) return Known::kNeedsRows;
    if (column.count[i] == 0) return Known::kEmpty;
    *part = TierPart::OfBucket(column, i);
    return Known::kBucket;
  }

  // Without as many rows a window has no value.
  [[nodiscard]] double RowsWanted() const { return rollup_ == Rollup::kRate || rollup_ == Rollup::kIncrease ? 2 : 1; }

  // Adds what lies in `interval`, whose ends may cut buckets. `bucket_at(start_ns, &part)` is false where it does not
  // know, and so is this.
  template <typename BucketAt>
  bool AddBuckets(const Interval& interval, BucketAt bucket_at, TierPart* out) {
    if (interval.length_ns() <= 0) return true;
    for (int64_t start = FloorTo(interval.after_ns, width_ns_); start < interval.last_ns; start += width_ns_) {
      TierPart part;
      if (!bucket_at(start, &part)) return false;
      const bool whole = start >= interval.after_ns && start + width_ns_ <= interval.last_ns;
      const TierPart inside = whole ? part : part.Within(interval, CutAsOf(rollup_));
      maybe_more_ |= inside.count < RowsWanted() && inside.count < part.count && part.MayHaveRowIn(interval);
      out->Add(inside);
    }
    return true;
  }

  template <typename BucketAt>
  bool AddNewestKnown(size_t step, BucketAt bucket_at, TierPart* out) {
    if (!AddBuckets(BucketBefore(step), bucket_at, out)) return false;
    out->first = out->last;
    out->first_ns = out->last_ns;
    return true;
  }

  // Reads the rows of one pass and adds those of its stretches to the pieces inside it.
  Status ReadRaw(const Interval& pass, std::span<const Interval> stretches) {
    RowReader reader(refs_, {{pass.after_ns + 1}, {pass.last_ns}}, GoneRows::kAnswered, state_);
    const auto is_inside = [&](const Interval& interval) {
      return interval.length_ns() > 0 && interval.after_ns >= pass.after_ns && interval.last_ns <= pass.last_ns;
    };
    std::vector<size_t> inside;
    for (size_t p = 0; p < pieces_.size(); ++p) {
      if (is_inside(pieces_[p])) inside.push_back(p);
    }
    model::Column column;
    Samples samples;
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_RETURN_IF_ERROR(reader.Next(&column));
      if (column.empty()) continue;
      for (const Interval& stretch : stretches) {
        if (is_inside(stretch)) {
          rows_ += column.times.UpperBound(stretch.last_ns) - column.times.UpperBound(stretch.after_ns);
        }
      }
      samples.Reset(column, spec_.drop_stale);
      for (const size_t p : inside) {
        const auto begin = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].after_ns));
        const auto end = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].last_ns));
        if (begin < end) piece_parts_[s * pieces_.size() + p] = TierPart::OfRows(&samples, begin, end);
      }
    }
    reader.Finish();
    return state_->CheckInterrupt();
  }

  // false: raw rows would give another last bit.
  bool Fold(Frame* out) {
    FrameMaker maker(this, out);
    for (size_t s = 0; s < refs_.size(); ++s) {
      maker.BeginRow();
      for (size_t step = 0; step < windows_.size(); ++step) {
        const TierPart part = WindowPart(s, step);
        if (HasOtherBits(part)) return false;
        maker.Set(step, Value(part, step));
      }
      maker.EndRow(refs_[s]);
    }
    maker.Finish();
    return true;
  }

  // Whether rows might give another last bit, where that matters.
  [[nodiscard]] bool HasOtherBits(const TierPart& part) const {
    if (!strict_ || part.count == 0) return false;
    return !part.AddsUpAsRows() || (needs_.changes && !part.LosesAsRows());
  }

  // A window that may have had rows and gets no value is not passed over in silence.
  std::optional<double> Value(const TierPart& part, size_t step) {
    const std::optional<double> value = ValueOf(part, step);
    if (std::exchange(maybe_more_, false) && !value && gone_) WarnOfCut(*gone_, width_ns_, *state_);
    return value;
  }

  [[nodiscard]] std::optional<double> ValueOf(const TierPart& part, size_t step) const {
    if (part.count == 0) return std::nullopt;
    switch (rollup_) {
      case Rollup::kAvg: return part.Mean();
      case Rollup::kCount: return part.count;
      case Rollup::kFirst: return spec_.gives_times ? MsToSeconds(FloorMs(part.first_ns)) : part.first;
      case Rollup::kLast:
        // Of a selector, which sees the marker.
        if (!spec_.drop_stale && model::IsStaleMarker(part.last)) return std::nullopt;
        return spec_.gives_times ? MsToSeconds(FloorMs(part.last_ns)) : part.last;
      case Rollup::kMax: return part.max;
      case Rollup::kMin: return part.min;
      case Rollup::kPresent: return 1.0;
      case Rollup::kSum: return part.Sum();
      default: break;
    }
    if (part.count < RowsWanted()) return std::nullopt;
    const RateKind kind = rollup_ == Rollup::kRate ? RateKind::kRate : RateKind::kIncrease;
    return Extrapolated(kind,
                        {.end_ms = spec_.windows.EndMs(step),
                         .length_ms = spec_.windows.length_ms,
                         .first_ns = part.first_ns,
                         .last_ns = part.last_ns,
                         .count = part.count},
                        part.first, part.Increase());
  }

  [[nodiscard]] TierPart WindowPart(size_t series, size_t step) {
    const TierPart* const pieces = piece_parts_.data() + series * pieces_.size();
    const auto bucket_at = [&](int64_t start, TierPart* part) {
      const auto b = static_cast<size_t>((start - covered_.after_ns) / width_ns_);
      const TierPart& bucket = parts_[series * buckets_ + b];
      *part = bucket.raw ? pieces[raw_piece_of_bucket_[b]] : bucket;
      used_buckets_ += bucket.raw ? 0 : 1;
      return true;
    };
    TierPart part;
    AddBuckets(splits_[step].gone, bucket_at, &part);
    part.Add(pieces[2 * step]);
    AddBuckets(splits_[step].buckets, bucket_at, &part);
    part.Add(pieces[2 * step + 1]);
    if (part.count == 0) AddNewestKnown(step, bucket_at, &part);
    return part;
  }

  static constexpr size_t kNoPiece = SIZE_MAX;

  std::span<const model::SeriesRef> refs_;
  const ScanSpec& spec_;
  Rollup rollup_;
  TierNeeds needs_;
  int64_t width_ns_;
  std::optional<Interval> gone_;
  bool strict_ = false;
  QueryState* state_;
  std::vector<Interval> windows_;          // by step
  std::vector<plan::SplitWindow> splits_;  // by step
  std::vector<Interval> pieces_;           // head and tail of each step, then buckets that need raw rows
  Interval covered_;                       // by whole buckets of some window
  size_t buckets_ = 0;
  std::vector<TierPart> parts_;  // [series][bucket]
  std::vector<size_t> raw_piece_of_bucket_;
  std::vector<TierPart> piece_parts_;  // [series][piece]
  bool maybe_more_ = false;            // a bucket of the window at hand may have rows in it that did not count
  double rows_per_ns_ = 0;             // of a series, by buckets that can be trusted; 0: not known
  uint64_t rows_ = 0;
  uint64_t used_buckets_ = 0;
};

}  // namespace

Status ScanTiers(const SeriesSource& source, const ScanSpec& spec, Rollup rollup, int64_t width_ns, QueryState* state,
                 const BlockSink& sink) {
  // Series of several spellings are merged row by row, so they have no buckets: they come as one raw block at the end.
  const size_t block_size = TierBlockSize(source.refs.size(), spec.windows, width_ns);
  const size_t blocks = (source.refs.size() + block_size - 1) / block_size;
  const std::span<const model::SeriesRef> refs(source.refs);
  TM_RETURN_IF_ERROR(
      ForEachBlock(refs.size(), block_size, state, [&](size_t block, size_t first, size_t last) -> Status {
        const auto part = refs.subspan(first, last - first);
        Frame frame;
        if (rollup == Rollup::kQuantile) {
          TM_TRY_ASSIGN(frame, FoldSketches(part, spec, width_ns, state));
          return sink(block, std::move(frame));
        }
        TierBlock tier(part, spec, rollup, width_ns, state);
        TM_TRY_ASSIGN(const bool done, tier.Run(&frame));
        if (!done) {
          TM_TRY_ASSIGN(frame, ScanRefs(part, spec, state));
        }
        return sink(block, std::move(frame));
      }));
  if (source.merged.empty()) return {};
  const SeriesSource rest{.refs = {}, .merged = source.merged, .names = source.names};
  ScanSpec rows = spec;
  rows.gone_rows = GoneRowsOf(rollup);
  if (rows.gone_rows == GoneRows::kEnds) WidenToBuckets(width_ns, *state, &rows.windows);
  return ScanSeries(rest, rows, state,
                    [&](size_t block, Frame&& frame) { return sink(blocks + block, std::move(frame)); });
}

Status ScanLatest(const SeriesSource& source, const ScanSpec& spec, QueryState* state, const BlockSink& sink) {
  const int64_t width_ns = TierForLatest(spec.windows, *state);
  if (width_ns == 0) return ScanSeries(source, spec, state, sink);
  return ScanTiers(source, spec, Rollup::kLast, width_ns, state, sink);
}

}  // namespace tidemark::query::scan
