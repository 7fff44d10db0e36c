#include "query/engine/tier_scan.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "query/engine/kahan.h"
#include "query/engine/samples.h"
#include "query/engine/time_math.h"
#include "query/plan/rollup_choice.h"

namespace tidemark::query::engine {
namespace {

using plan::Interval;
using promql::FunctionId;

// What a stretch of rows, or a bucket, adds to a window.
struct Part {
  double count = 0;
  KahanSum sum;
  double min = 0;
  double max = 0;

  void Add(const Part& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    sum.Add(other.sum.sum);
    sum.compensation += other.sum.compensation;
    if (other.min < min || std::isnan(min)) min = other.min;
    if (other.max > max || std::isnan(max)) max = other.max;
    count += other.count;
  }
};

double ValueOf(FunctionId function, const Part& part) {
  switch (function) {
    case FunctionId::kAvgOverTime: return part.sum.sum / part.count + part.sum.compensation / part.count;
    case FunctionId::kCountOverTime: return part.count;
    case FunctionId::kMaxOverTime: return part.max;
    case FunctionId::kMinOverTime: return part.min;
    default: return part.sum.Total();
  }
}

bool NeedsSums(FunctionId function) {
  return function == FunctionId::kAvgOverTime || function == FunctionId::kSumOverTime;
}

// The part that rows [begin, end) make.
Part PartOfRows(Samples* samples, uint32_t begin, uint32_t end, bool sums) {
  Part part;
  if (begin == end) return part;
  part.count = end - begin;
  part.min = part.max = samples->At(begin);
  const double* const values = samples->doubles();
  for (uint32_t row = begin; row < end; ++row) {
    if (values[row] < part.min || std::isnan(part.min)) part.min = values[row];
    if (values[row] > part.max || std::isnan(part.max)) part.max = values[row];
  }
  if (!sums) return part;
  if (samples->SumsExactly(end - begin)) {
    int64_t sum = 0;
    for (uint32_t row = begin; row < end; ++row) sum += samples->ints()[row];
    part.sum.sum = static_cast<double>(sum) / samples->divisor();
  } else {
    for (uint32_t row = begin; row < end; ++row) part.sum.Add(values[row]);
  }
  return part;
}

// One block of series. Buckets are numbered from the first that any window uses.
class TierBlock {
 public:
  TierBlock(std::span<const model::SeriesRef> refs, const ScanSpec& spec, FunctionId function, int64_t width_ns,
            QueryState* state)
      : refs_(refs), spec_(spec), function_(function), width_ns_(width_ns), state_(state) {
    const WindowSpec& windows = spec.windows;
    for (size_t step = 0; step < windows.grid.count; ++step) {
      windows_.push_back(windows.Window(step));
      splits_.push_back(plan::Split(windows_.back(), width_ns));
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
    if (covered_.length_ns() == 0) return false;
    buckets_ = static_cast<size_t>(covered_.length_ns() / width_ns_);
    Reservation memory(state_);
    TM_RETURN_IF_ERROR(memory.Set(refs_.size() * buckets_ * sizeof(Part)));
    parts_.resize(refs_.size() * buckets_);
    TM_TRY_ASSIGN(const bool usable, ReadBuckets());
    if (!usable) return false;
    const std::vector<Interval> stretches = plan::Join(pieces_);
    if (!plan::WorthTier(stretches, plan::Join(windows_))) return false;
    piece_parts_.resize(refs_.size() * pieces_.size());
    for (const Interval& stretch : stretches) TM_RETURN_IF_ERROR(ReadRaw(stretch));
    Fold(out);
    TM_RETURN_IF_ERROR(state_->CountSamples(rows_, refs_.size()));
    state_->CountTierBuckets(used_buckets_, width_ns_);
    return true;
  }

 private:
  // Fills parts_ and adds buckets that cannot be trusted to pieces_.
  Result<bool> ReadBuckets() {
    std::vector<uint8_t> untrusted(buckets_);
    const auto cursor = state_->view().ScanTier(refs_, {{covered_.after_ns}, {covered_.last_ns}}, width_ns_);
    storage::TierColumn column;
    for (size_t s = 0; s < refs_.size(); ++s) {
      TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
      if (!more) return MakeError(ErrorCode::kInternal, "a tier ended before its last series");
      if (NeedsSums(function_) && !column.sum_exact) return false;
      for (size_t b = 0; b < buckets_; ++b) {
        const int64_t start = covered_.after_ns + static_cast<int64_t>(b) * width_ns_;
        const int64_t index = (start - column.first_start_ns) / width_ns_;
        const bool there = start >= column.first_start_ns && index < static_cast<int64_t>(column.buckets);
        const auto i = static_cast<size_t>(there ? index : 0);
        if (!there || column.trusted[i] == 0) {
          untrusted[b] = 1;
          continue;
        }
        parts_[s * buckets_ + b] = {.count = static_cast<double>(column.count[i]),
                                    .sum = {column.sum[i], 0},
                                    .min = column.min[i],
                                    .max = column.max[i]};
      }
    }
    raw_piece_of_bucket_.assign(buckets_, kNoPiece);
    for (size_t b = 0; b < buckets_; ++b) {
      if (untrusted[b] == 0) continue;
      const int64_t start = covered_.after_ns + static_cast<int64_t>(b) * width_ns_;
      raw_piece_of_bucket_[b] = pieces_.size();
      pieces_.push_back({start, start + width_ns_});
    }
    return true;
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
      samples.Reset(column, true);
      for (const size_t p : inside) {
        const auto begin = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].after_ns));
        const auto end = static_cast<uint32_t>(samples.times().UpperBound(pieces_[p].last_ns));
        piece_parts_[s * pieces_.size() + p] = PartOfRows(&samples, begin, end, NeedsSums(function_));
      }
    }
    for (const std::string& warning : cursor->warnings()) state_->WarnPlain(warning);
    return state_->CheckInterrupt();
  }

  void Fold(Frame* out) {
    auto arena = std::make_unique<LabelArena>();
    model::LabelViews labels;
    *out = Frame(windows_.size());
    for (size_t s = 0; s < refs_.size(); ++s) {
      const size_t row = out->AddRow({.labels = {}, .name = spec_.name});
      bool any = false;
      for (size_t step = 0; step < windows_.size(); ++step) {
        const Part part = WindowPart(s, step);
        if (part.count == 0) continue;
        out->RowValues(row)[step] = ValueOf(function_, part);
        out->RowPresent(row)[step] = 1;
        any = true;
      }
      if (!any) {
        out->Resize(row);
        continue;
      }
      if (!spec_.labels) continue;
      state_->view().LabelsOf(refs_[s], &labels);
      out->rows[row].labels = arena->Store(labels);
    }
    state_->Keep(std::move(arena));
  }

  [[nodiscard]] Part WindowPart(size_t series, size_t step) {
    const Part* const pieces = piece_parts_.data() + series * pieces_.size();
    Part part = pieces[2 * step];
    const Interval& whole = splits_[step].buckets;
    if (whole.length_ns() > 0) {
      const auto first = static_cast<size_t>((whole.after_ns - covered_.after_ns) / width_ns_);
      const auto last = static_cast<size_t>((whole.last_ns - covered_.after_ns) / width_ns_);
      for (size_t b = first; b < last; ++b) {
        const bool raw = raw_piece_of_bucket_[b] != kNoPiece;
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
  FunctionId function_;
  int64_t width_ns_;
  QueryState* state_;
  std::vector<Interval> windows_;          // by step
  std::vector<plan::SplitWindow> splits_;  // by step
  std::vector<Interval> pieces_;           // head and tail of each step, then buckets that need raw rows
  Interval covered_;                       // by whole buckets of some window
  size_t buckets_ = 0;
  std::vector<Part> parts_;  // [series][bucket]
  std::vector<size_t> raw_piece_of_bucket_;
  std::vector<Part> piece_parts_;  // [series][piece]
  uint64_t rows_ = 0;
  uint64_t used_buckets_ = 0;
};

}  // namespace

int64_t TierFor(FunctionId function, const WindowSpec& windows, const QueryState& state) {
  const Resolution& resolution = state.context().resolution;
  if (resolution.kind == Resolution::Kind::kRaw || !plan::RollsUp(function) || windows.grid.count == 0) return 0;
  std::vector<int64_t> widths = state.view().Tiers();
  // A window shorter than two buckets may hold no whole one.
  std::erase_if(widths, [&](int64_t width) { return MsToNs(windows.length_ms) < 2 * width; });
  if (resolution.kind == Resolution::Kind::kTier) {
    std::erase_if(widths, [&](int64_t width) { return width != resolution.tier_ns; });
  }
  if (widths.empty()) return 0;
  std::vector<Interval> intervals;
  for (size_t step = 0; step < windows.grid.count; ++step) {
    intervals.push_back(windows.Window(step));
  }
  return plan::ChooseTier(intervals, widths).value_or(0);
}

Status ScanTiers(const SeriesSource& source, const ScanSpec& spec, FunctionId function, int64_t width_ns,
                 QueryState* state, const BlockSink& sink) {
  // Series of several spellings are merged row by row, so they have no buckets: they come as one raw block at the end.
  const size_t block_size = ScanBlockSize(source.refs.size(), spec.windows);
  const size_t blocks = (source.refs.size() + block_size - 1) / block_size;
  const std::span<const model::SeriesRef> refs(source.refs);
  TM_RETURN_IF_ERROR(
      ForEachBlock(refs.size(), block_size, state, [&](size_t block, size_t first, size_t last) -> Status {
        const auto part = refs.subspan(first, last - first);
        Frame frame;
        TierBlock tier(part, spec, function, width_ns, state);
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

}  // namespace tidemark::query::engine
