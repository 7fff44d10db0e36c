#include "query/scan/tier_windows.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "query/frame/samples.h"
#include "query/frame/time_math.h"
#include "query/plan/rollup_choice.h"
#include "query/promql/numbers.h"
#include "query/scan/extrapolation.h"
#include "query/scan/sketch_fold.h"
#include "query/scan/tier_part.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::scan {
namespace {

using frame::FloorMs;
using frame::Frame;
using frame::kNsPerMs;
using frame::LabelArena;
using frame::MsToNs;
using frame::MsToSeconds;
using frame::Samples;
using plan::Interval;
using promql::Rollup;
using run::QueryState;
using run::Reservation;
using run::Resolution;

// What a value takes of the parts.
struct Needs {
  bool sums = false;
  bool changes = false;  // with resets
};

Needs NeedsOf(Rollup rollup) {
  return {.sums = rollup == Rollup::kAvg || rollup == Rollup::kSum,
          .changes = rollup == Rollup::kIncrease || rollup == Rollup::kRate};
}

// Windows up to a time are answered by buckets alone: raw rows there are gone.
struct Gone {
  bool any = false;
  int64_t until_ns = 0;  // the end of a bucket
};

Gone GoneOf(const WindowSpec& windows, int64_t width_ns, const QueryState& state) {
  const auto gone = state.view().RawGoneIn(windows.Range());
  if (!gone) return {};
  const int64_t bucket = gone->range.last.ns / width_ns + (gone->range.last.ns % width_ns > 0 ? 1 : 0);
  return {.any = true, .until_ns = bucket * width_ns};
}

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
        gone_(GoneOf(spec.windows, width_ns, *state)),
        state_(state) {
    // Whoever asks for a tier gets its sums; otherwise they must be what rows would give.
    strict_ =
        (needs_.sums || needs_.changes) && !gone_.any && state->context().resolution.kind == Resolution::Kind::kAuto;
    const WindowSpec& windows = spec.windows;
    for (size_t step = 0; step < windows.grid.count; ++step) {
      windows_.push_back(windows.Window(step));
      splits_.push_back(gone_.any ? plan::SplitGone(windows_.back(), width_ns, gone_.until_ns)
                                  : plan::Split(windows_.back(), width_ns));
      pieces_.push_back(splits_.back().head);
      pieces_.push_back(splits_.back().tail);
      if (splits_.back().buckets.length_ns() == 0) continue;
      if (covered_.length_ns() == 0) covered_ = splits_.back().buckets;
      covered_.after_ns = std::min(covered_.after_ns, splits_.back().buckets.after_ns);
      covered_.last_ns = std::max(covered_.last_ns, splits_.back().buckets.last_ns);
    }
  }

  // False: raw rows alone are the better way.
  Result<bool> Run(Frame* out) {
    if (covered_.length_ns() == 0 && !gone_.any) return false;
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
    if (!gone_.any && !plan::WorthTier(stretches, plan::Join(windows_))) return false;
    TM_RETURN_IF_ERROR(memory.Set(refs_.size() * (buckets_ + pieces_.size()) * sizeof(TierPart)));
    piece_parts_.resize(refs_.size() * pieces_.size());
    for (const Interval& stretch : stretches) TM_RETURN_IF_ERROR(ReadRaw(stretch));
    if (!Fold(out)) return false;
    TM_RETURN_IF_ERROR(state_->CountSamples(rows_, refs_.size()));
    state_->CountTierBuckets(used_buckets_, width_ns_);
    return true;
  }

 private:
  enum class Aligned : uint8_t { kDone, kNeedsRows, kOtherBits };

  // Whether every window is made of whole buckets.
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
        TierPart part;
        for (int64_t start = splits_[step].buckets.after_ns; start < splits_[step].buckets.last_ns;
             start += width_ns_) {
          const int64_t index = (start - column.first_start_ns) / width_ns_;
          if (start < column.first_start_ns || index >= static_cast<int64_t>(column.buckets))
            return Aligned::kNeedsRows;
          const auto i = static_cast<size_t>(index);
          if (column.trusted[i] == 0 || LacksIncrease(column, i, start)) return Aligned::kNeedsRows;
          if (column.count[i] != 0) part.Add(TierPart::OfBucket(column, i));
          ++used_buckets_;
        }
        if (HasOtherBits(part)) return Aligned::kOtherBits;
        maker.Set(step, ValueOf(part, step));
      }
      maker.EndRow(refs_[s]);
    }
    maker.Finish();
    for (std::string& warning : cursor->Warnings()) state_->WarnPlain(std::move(warning));
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

  // Fills parts_ and adds buckets that cannot be trusted to pieces_.
  Status ReadBuckets() {
    raw_piece_of_bucket_.assign(buckets_, kNoPiece);
    if (buckets_ == 0) return {};
    std::vector<uint8_t> untrusted(buckets_);
    const auto cursor = state_->view().ScanTier(refs_, {{covered_.after_ns + 1}, {covered_.last_ns}}, width_ns_);
    storage::TierColumn column;
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a tier ended before its last series");
      for (size_t b = 0; b < buckets_; ++b) {
        const int64_t start = covered_.after_ns + static_cast<int64_t>(b) * width_ns_;
        const int64_t index = (start - column.first_start_ns) / width_ns_;
        const bool there = start >= column.first_start_ns && index < static_cast<int64_t>(column.buckets);
        const auto i = static_cast<size_t>(there ? index : 0);
        TierPart& part = parts_[s * buckets_ + b];
        if (!there || column.trusted[i] == 0 || LacksIncrease(column, i, start)) {
          untrusted[b] = 1;
          part.raw = true;
        } else if (column.count[i] != 0) {
          part = TierPart::OfBucket(column, i);
        }
      }
    }
    for (std::string& warning : cursor->Warnings()) state_->WarnPlain(std::move(warning));
    for (size_t b = 0; b < buckets_; ++b) {
      if (untrusted[b] == 0) continue;
      const int64_t start = covered_.after_ns + static_cast<int64_t>(b) * width_ns_;
      raw_piece_of_bucket_[b] = pieces_.size();
      pieces_.push_back({start, start + width_ns_});
    }
    return {};
  }

  // Series that fall often have none; their rows have, where there are any.
  [[nodiscard]] bool LacksIncrease(const storage::TierColumn& column, size_t i, int64_t start) const {
    if (!needs_.changes || column.count[i] == 0 || (gone_.any && start < gone_.until_ns)) return false;
    return column.increase == nullptr || std::isnan(column.increase[i]);
  }

  // Reads the rows of one stretch and adds them to the pieces inside it.
  Status ReadRaw(const Interval& stretch) {
    const auto cursor = state_->view().Scan(refs_, {{stretch.after_ns + 1}, {stretch.last_ns}});
    std::vector<size_t> inside;
    for (size_t p = 0; p < pieces_.size(); ++p) {
      const Interval& piece = pieces_[p];
      if (piece.length_ns() > 0 && piece.after_ns >= stretch.after_ns && piece.last_ns <= stretch.last_ns) {
        inside.push_back(p);
      }
    }
    model::Column column;
    Samples samples;
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
      rows_ += column.size();
      if (column.empty()) continue;
      samples.Reset(column, spec_.drop_stale);
      for (const size_t p : inside) {
        const auto begin = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].after_ns));
        const auto end = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].last_ns));
        if (begin < end) piece_parts_[s * pieces_.size() + p] = TierPart::OfRows(&samples, begin, end);
      }
    }
    for (const std::string& warning : cursor->warnings()) state_->WarnPlain(warning);
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
        maker.Set(step, ValueOf(part, step));
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

  [[nodiscard]] std::optional<double> ValueOf(const TierPart& part, size_t step) const {
    if (part.count == 0) return std::nullopt;
    switch (rollup_) {
      case Rollup::kAvg: return part.Mean();
      case Rollup::kCount: return part.count;
      case Rollup::kFirst: return part.first;
      case Rollup::kLast: {
        // Of a selector, which sees the marker.
        if (!spec_.drop_stale && model::IsStaleMarker(part.last)) return std::nullopt;
        return part.last;
      }
      case Rollup::kMax: return part.max;
      case Rollup::kMin: return part.min;
      case Rollup::kPresent: return 1.0;
      case Rollup::kSum: return part.Sum();
      default: break;
    }
    if (part.count < 2) return std::nullopt;
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
    TierPart part = pieces[2 * step];
    const Interval& whole = splits_[step].buckets;
    if (whole.length_ns() > 0) {
      const auto first = static_cast<size_t>((whole.after_ns - covered_.after_ns) / width_ns_);
      const auto last = static_cast<size_t>((whole.last_ns - covered_.after_ns) / width_ns_);
      for (size_t b = first; b < last; ++b) {
        const bool raw = parts_[series * buckets_ + b].raw;
        part.Add(raw ? pieces[raw_piece_of_bucket_[b]] : parts_[series * buckets_ + b]);
        used_buckets_ += raw ? 0 : 1;
      }
    }
    part.Add(pieces[2 * step + 1]);
    return part;
  }

  static constexpr size_t kNoPiece = SIZE_MAX;

  std::span<const model::SeriesRef> refs_;
  const ScanSpec& spec_;
  Rollup rollup_;
  Needs needs_;
  int64_t width_ns_;
  Gone gone_;
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
  uint64_t rows_ = 0;
  uint64_t used_buckets_ = 0;
};

}  // namespace

int64_t TierFor(Rollup rollup, const WindowSpec& windows, QueryState& state) {
  if (windows.grid.count == 0) return 0;
  const Resolution& resolution = state.context().resolution;
  const auto gone = state.view().RawGoneIn(windows.Range());
  // Windows that reach beyond their ends look at single rows.
  const bool plain = windows.before_ms == 0 && windows.after_ms == 0;
  const bool rolls_up =
      rollup == Rollup::kQuantile ? gone.has_value() : rollup != Rollup::kNone && (plain || !NeedsOf(rollup).changes);
  const auto warn = [&](std::string_view what) {
    if (!gone) return int64_t{0};
    state.WarnPlain(fmt::format("raw rows up to Unix time {} are gone, and {}: the answer leaves them out",
                                MsToSeconds(FloorMs(gone->range.last.ns) + 1), what));
    return int64_t{0};
  };
  if (resolution.kind == Resolution::Kind::kRaw) return warn("resolution=raw was asked for");
  if (!rolls_up) return warn("this function cannot be answered from the rollup tiers that are left");
  std::vector<int64_t> widths = gone ? gone->widths_ns : state.view().Tiers();
  if (resolution.kind == Resolution::Kind::kTier) {
    std::erase_if(widths, [&](int64_t width) { return width != resolution.tier_ns; });
  }
  if (widths.empty()) return warn("no rollup tier that was asked for is left of all of them");
  const int64_t narrowest = widths.front();
  // A window as long as a bucket is one, where steps are aligned, as those of dashboards often are.
  std::erase_if(widths, [&](int64_t width) { return MsToNs(windows.length_ms) < width; });
  std::vector<Interval> intervals;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    intervals.push_back(windows.Window(step));
  }
  const int64_t chosen = widths.empty() ? 0 : plan::ChooseTier(intervals, widths).value_or(0);
  if (chosen != 0 || !gone) return chosen;
  if (MsToNs(windows.length_ms) < narrowest) {
    state.WarnPlain(fmt::format(
        "raw rows up to Unix time {} are gone, and the rollup tier that is left is wider than the window: {}",
        MsToSeconds(FloorMs(gone->range.last.ns) + 1), promql::DurationToString(narrowest / kNsPerMs)));
  }
  return narrowest;
}

std::optional<int64_t> GoneUntil(const WindowSpec& windows, int64_t width_ns, const QueryState& state) {
  const Gone gone = GoneOf(windows, width_ns, state);
  if (!gone.any) return std::nullopt;
  return gone.until_ns;
}

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
          const Gone gone = GoneOf(spec.windows, width_ns, *state);
          TM_TRY_ASSIGN(frame, FoldSketches(part, spec, width_ns, gone.until_ns, state));
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
  return ScanSeries(rest, spec, state,
                    [&](size_t block, Frame&& frame) { return sink(blocks + block, std::move(frame)); });
}

Status ScanLatest(const SeriesSource& source, const ScanSpec& spec, QueryState* state, const BlockSink& sink) {
  const Resolution& resolution = state->context().resolution;
  const auto gone = state->view().RawGoneIn(spec.windows.Range());
  if (!gone || resolution.kind == Resolution::Kind::kRaw) return ScanSeries(source, spec, state, sink);
  std::vector<int64_t> widths = gone->widths_ns;
  if (resolution.kind == Resolution::Kind::kTier) {
    std::erase_if(widths, [&](int64_t width) { return width != resolution.tier_ns; });
  }
  if (widths.empty()) return ScanSeries(source, spec, state, sink);
  const int64_t width_ns = widths.front();
  const int64_t until_ns = GoneOf(spec.windows, width_ns, *state).until_ns;
  const int64_t width_ms = (width_ns + kNsPerMs - 1) / kNsPerMs;
  auto windows = std::make_shared<std::vector<Interval>>();
  for (size_t step = 0; step < spec.windows.grid.count; ++step) {
    Interval window = spec.windows.Window(step);
    if (window.last_ns <= until_ns) window.after_ns = std::min(window.after_ns, window.last_ns - MsToNs(width_ms));
    windows->push_back(window);
  }
  ScanSpec wider = spec;
  wider.windows.length_ms = std::max(spec.windows.length_ms, width_ms);
  wider.windows.own = std::move(windows);
  return ScanTiers(source, wider, Rollup::kLast, width_ns, state, sink);
}

}  // namespace tidemark::query::scan
