#include "query/scan/windows.h"

#include <algorithm>
#include <limits>

#include "query/frame/time_math.h"

namespace tidemark::query::scan {
namespace {

using frame::MsToNs;

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// Number of rows at or before the time of each step, whose first is `first_ns` and which move by `stride_ns`.
void CountRows(const model::Times& times, int64_t first_ns, int64_t stride_ns, std::vector<uint32_t>* out) {
  const auto size = static_cast<int64_t>(times.size);
  int64_t distance = 0;
  if (times.regular() && times.step_ns > 0 && stride_ns % times.step_ns == 0 &&
      !__builtin_sub_overflow(first_ns, times.first_ns, &distance)) {
    // Steps move by a whole number of rows: one division for all of them.
    int64_t rows = FloorDiv(distance, times.step_ns) + 1;
    const int64_t rows_per_step = stride_ns / times.step_ns;
    for (uint32_t& count : *out) {
      count = static_cast<uint32_t>(std::clamp<int64_t>(rows, 0, size));
      if (__builtin_add_overflow(rows, rows_per_step, &rows)) rows = size;
    }
    return;
  }
  int64_t at = first_ns;
  if (times.regular()) {
    for (uint32_t& count : *out) {
      count = static_cast<uint32_t>(times.UpperBound(at));
      if (__builtin_add_overflow(at, stride_ns, &at)) at = std::numeric_limits<int64_t>::max();
    }
    return;
  }
  // Ascending times against ascending steps: gallop from where the last step ended.
  const int64_t* const all = times.explicit_ns;
  size_t row = 0;
  for (uint32_t& count : *out) {
    size_t hop = 1;
    size_t low = row;
    while (low + hop <= times.size && all[low + hop - 1] <= at) {
      low += hop;
      hop *= 2;
    }
    const size_t high = std::min(times.size, low + hop);
    row = static_cast<size_t>(std::upper_bound(all + low, all + high, at) - all);
    count = static_cast<uint32_t>(row);
    if (__builtin_add_overflow(at, stride_ns, &at)) at = std::numeric_limits<int64_t>::max();
  }
}

// The times of rows in any window, and of those that far before.
model::TimeRange RangeOf(const std::vector<plan::Interval>& windows, int64_t before_ns) {
  model::TimeRange out{model::Timestamp::Max(), model::Timestamp::Min()};
  for (const plan::Interval& window : windows) {
    if (window.after_ns >= window.last_ns) continue;
    int64_t after_ns = 0;
    if (__builtin_sub_overflow(window.after_ns, before_ns, &after_ns)) after_ns = std::numeric_limits<int64_t>::min();
    out.first.ns = std::min(out.first.ns, after_ns + 1);
    out.last.ns = std::max(out.last.ns, window.last_ns);
  }
  return out;
}

// The time behind which a window begins: of one that is closed, a moment earlier.
int64_t StartNs(int64_t start_ms, bool closed) {
  const int64_t ns = MsToNs(start_ms);
  return closed && ns > std::numeric_limits<int64_t>::min() ? ns - 1 : ns;
}

}  // namespace

plan::Interval WindowSpec::Window(size_t step) const {
  if (own) return (*own)[step];
  return {StartNs(EndMs(step) - length_ms, closed), MsToNs(EndMs(step))};
}

model::TimeRange WindowSpec::Range() const {
  if (grid.count == 0) return {model::Timestamp::Max(), model::Timestamp::Min()};
  if (own) return RangeOf(*own, MsToNs(before_ms));
  const int64_t after_ns = StartNs(EndMs(0) - length_ms, closed);
  const int64_t last_ns = MsToNs(EndMs(grid.count - 1));
  if (after_ns == std::numeric_limits<int64_t>::max()) return {model::Timestamp::Max(), model::Timestamp::Min()};
  return {{after_ns + 1}, {last_ns}};
}

void Windows::Fill(const model::Times& times) {
  if (filled_regular_ && times.regular() && times.first_ns == filled_first_ns_ && times.step_ns == filled_step_ns_ &&
      times.size == filled_size_) {
    return;
  }
  begins_.resize(steps());
  ends_.resize(steps());
  total_rows_ = 0;
  longest_ = 0;
  filled_regular_ = times.regular();
  filled_first_ns_ = times.first_ns;
  filled_step_ns_ = times.step_ns;
  filled_size_ = times.size;
  if (steps() == 0) return;
  if (spec_.own) {
    for (size_t i = 0; i < steps(); ++i) {
      begins_[i] = static_cast<uint32_t>(times.UpperBound(spec_.Window(i).after_ns));
      ends_[i] = static_cast<uint32_t>(times.UpperBound(spec_.Window(i).last_ns));
    }
    CountAll();
    return;
  }
  const int64_t stride_ns = spec_.reference.at_ms ? 0 : MsToNs(spec_.grid.step_ms);
  CountRows(times, MsToNs(spec_.EndMs(0)), stride_ns, &ends_);
  CountRows(times, spec_.Window(0).after_ns, stride_ns, &begins_);
  CountAll();
}

void Windows::CountAll() {
  for (size_t i = 0; i < steps(); ++i) {
    const uint32_t rows = ends_[i] - begins_[i];
    total_rows_ += rows;
    longest_ = std::max(longest_, rows);
  }
}

}  // namespace tidemark::query::scan
