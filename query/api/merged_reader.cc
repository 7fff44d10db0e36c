#include "query/api/merged_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>

#include "query/frame/column_union.h"
#include "query/frame/frame_order.h"
#include "query/names/series_walk.h"
#include "query/run/query_state.h"
#include "query/run/small_share.h"
#include "storage/base/text/byte_size.h"

namespace tidemark::query::api {
namespace {

// Series that are read together, at most, and how many bytes of their samples are held: neighbours in storage lie in
// the same pages, so that one by one would open each page many times.
constexpr size_t kSeriesTogether = 512;
constexpr size_t kBytesTogether = size_t{8} << 20;
constexpr size_t kSampleBytes = sizeof(int64_t) + sizeof(double);
// Series between two looks at the deadline.
constexpr size_t kRowsPerLook = 1024;

}  // namespace

ReadLimits LimitsOf(const ApiRequest& request, const engine::QueryLimits& limits, const Clock* clock,
                    run::MemoryTotal* memory, run::Turns* turns) {
  return {.budget = limits.budget,
          .memory = memory,
          .clock = clock != nullptr ? clock : &SystemClock::Get(),
          .timeout_ns = limits.timeout_ms * 1'000'000,
          .stop = request.stop,
          .turns = turns,
          .client = request.client};
}

int64_t DeadlineOf(const ReadLimits& limits) {
  return limits.clock == &SystemClock::Get() ? limits.clock->SteadyNs() + limits.timeout_ns : 0;
}

Status MergedReader::Open(run::Turn* turn) {
  const int64_t began = limits_.clock->SteadyNs();
  const auto pass = [&]() -> Status {
    TM_RETURN_IF_ERROR(CheckEnd(began));
    return turn->Pass([&] { return CheckEnd(began); });
  };
  const auto look = [&](uint64_t held) -> Status {
    TM_RETURN_IF_ERROR(pass());
    return ChargeTo(held);
  };
  TM_RETURN_IF_ERROR(
      names::SelectAll(*view_, selectors_, range_, {.strings = false}, limits_.budget.max_series, look, &refs_));
  // Sorting holds the order twice.
  TM_RETURN_IF_ERROR(Charge(refs_.size() * (sizeof(model::LabelViews) + 2 * sizeof(uint32_t))));
  labels_.resize(refs_.size());
  for (size_t i = 0; i < refs_.size(); ++i) {
    if (i % kRowsPerLook == 0) TM_RETURN_IF_ERROR(pass());
    view_->LabelsOf(refs_[i], &labels_[i]);
    TM_RETURN_IF_ERROR(Charge(labels_[i].capacity() * sizeof(model::LabelView)));
  }
  order_.resize(refs_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  TM_RETURN_IF_ERROR(frame::StableSortChecked(
      &order_, [this](uint32_t a, uint32_t b) { return labels_[a] < labels_[b]; },
      [&](size_t row) { return row % kRowsPerLook == 0 ? pass() : Status(); }));
  spent_->ns += limits_.clock->SteadyNs() - began;
  return {};
}

Result<bool> MergedReader::Next(run::Turn* turn, const MergedSeries** series) {
  while (ready_at_ == ready_.size()) {
    if (at_ == order_.size()) return false;
    TM_RETURN_IF_ERROR(ReadSome(turn));
  }
  *series = &ready_[ready_at_++];
  return true;
}

Status MergedReader::CheckEnd(int64_t began) const {
  if (limits_.stop.stop_requested()) return MakeError(ErrorCode::kCancelled, "the client went away");
  if (spent_->ns + limits_.clock->SteadyNs() - began > limits_.timeout_ns) {
    return MakeError(ErrorCode::kTimeout, "the read took longer than query.timeout; ask for less");
  }
  return {};
}

Status MergedReader::Charge(uint64_t bytes) {
  const uint64_t max = limits_.budget.max_bytes;
  if (max != 0 && charged_ + bytes > max) {
    return LimitExceeded(
        fmt::format("the read takes more than the memory budget of {}; ask for fewer series or a "
                    "shorter time",
                    text::PrintMebibytes(max)));
  }
  if (charged_ + bytes > run::kLittleBytes && !run::LeavesShareOfSmall(*limits_.memory, bytes)) {
    return MakeError(ErrorCode::kResourceExhausted, run::kShareOfSmallWords);
  }
  TM_RETURN_IF_ERROR(run::TakeBytes(limits_.memory, bytes));
  charged_ += bytes;
  return {};
}

Status MergedReader::ChargeTo(uint64_t bytes) {
  if (bytes >= charged_) return Charge(bytes - charged_);
  Release(charged_ - bytes);
  return {};
}

void MergedReader::Release(uint64_t bytes) {
  limits_.memory->Give(bytes);
  charged_ -= bytes;
}

// Reads the next series in the order of labels, those with equal labels as one.
Status MergedReader::ReadSome(run::Turn* turn) {
  Release(std::exchange(ready_bytes_, 0));
  ready_.clear();
  ready_at_ = 0;
  const int64_t began = limits_.clock->SteadyNs();
  TM_RETURN_IF_ERROR(turn->Pass([&] { return CheckEnd(began); }));
  size_t end = std::min(at_ + together_, order_.size());
  while (end < order_.size() && labels_[order_[end]] == labels_[order_[end - 1]]) ++end;
  std::vector<uint32_t> by_ref(order_.begin() + static_cast<std::ptrdiff_t>(at_),
                               order_.begin() + static_cast<std::ptrdiff_t>(end));
  std::sort(by_ref.begin(), by_ref.end());
  std::vector<model::SeriesRef> refs;
  refs.reserve(by_ref.size());
  for (const uint32_t index : by_ref) refs.push_back(refs_[index]);
  std::vector<model::ColumnBuffer> columns(by_ref.size());
  const auto cursor = view_->Scan(refs, range_);
  size_t longest = 1;
  for (model::ColumnBuffer& held : columns) {
    TM_RETURN_IF_ERROR(CheckEnd(began));
    model::Column column;
    TM_TRY_ASSIGN(const bool more, cursor->Next(&column));
    if (!more) return MakeError(ErrorCode::kInternal, "a scan ended before its last series");
    spent_->samples += column.size();
    if (limits_.budget.max_samples != 0 && spent_->samples > limits_.budget.max_samples) {
      return LimitExceeded(fmt::format("exceeded sample limit ({})", limits_.budget.max_samples));
    }
    longest = std::max(longest, column.size());
    // As read, and as it is handed on.
    ready_bytes_ += 2 * column.size() * kSampleBytes;
    TM_RETURN_IF_ERROR(Charge(2 * column.size() * kSampleBytes));
    held = frame::CopyAsDoubles(column);
  }
  // Damaged pages are left out of a query with a warning. Here there is nowhere to say so, and what the client takes
  // for whole it may keep.
  if (!cursor->warnings().empty()) return MakeError(ErrorCode::kCorruption, cursor->warnings().front());
  for (size_t i = at_; i < end;) {
    std::vector<model::ColumnBuffer> same;
    const model::LabelViews& labels = labels_[order_[i]];
    for (; i < end && labels_[order_[i]] == labels; ++i) {
      const auto at = std::lower_bound(by_ref.begin(), by_ref.end(), order_[i]);
      same.push_back(std::move(columns[static_cast<size_t>(at - by_ref.begin())]));
    }
    Append(labels, std::move(same));
  }
  at_ = end;
  together_ = std::clamp(kBytesTogether / (longest * kSampleBytes), size_t{1}, kSeriesTogether);
  spent_->ns += limits_.clock->SteadyNs() - began;
  return {};
}

void MergedReader::Append(const model::LabelViews& labels, std::vector<model::ColumnBuffer> columns) {
  model::ColumnBuffer merged;
  if (columns.size() > 1) {
    frame::UniteColumns(columns, &merged);
  } else {
    merged = std::move(columns.front());
  }
  if (!merged.times.empty()) ready_.push_back({labels, std::move(merged)});
}

}  // namespace tidemark::query::api
