// Windows: which rows of a series lie in the window of each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "query/plan/plan.h"
#include "query/plan/rollup_choice.h"
#include "storage/model/column.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::scan {

// WindowSpec: the window of step i is (end - length_ms, end], left-open as in Prometheus 3, where end is the
// reference's time at the step.
struct WindowSpec {
  plan::StepGrid grid;
  plan::Reference reference;
  int64_t length_ms = 0;
  // What of the window's start and end is not the range of the query but how far `anchored` and `smoothed` may look
  // beyond it. `reference` and `length_ms` include them.
  int64_t before_ms = 0;
  int64_t after_ms = 0;
  // The start of a window belongs to it, as in Prometheus 2.
  bool closed = false;
  // Where set, the window of step i is (*own)[i] and lies inside of the one above. Both ends ascend; empty windows have
  // both at one time. `before_ms` is then how far rows before the windows are wanted.
  std::shared_ptr<const std::vector<plan::Interval>> own{};

  [[nodiscard]] plan::Interval Window(size_t step) const;
  [[nodiscard]] int64_t EndMs(size_t step) const { return reference.TimeMs(grid.TimeMs(step)); }
  // The times of all rows that any window needs.
  [[nodiscard]] model::TimeRange Range() const;
};

// Computed for one series after the other; keeps its memory, and its content while the timeline stays the same. Not
// thread-safe.
class Windows {
 public:
  explicit Windows(const WindowSpec& spec) : spec_(spec) {}

  [[nodiscard]] const WindowSpec& spec() const { return spec_; }
  void Fill(const model::Times& times);

  // Rows [begin, end) are in the window of `step`. Both ascend with the step.
  [[nodiscard]] uint32_t begin(size_t step) const { return begins_[step]; }
  [[nodiscard]] uint32_t end(size_t step) const { return ends_[step]; }
  [[nodiscard]] size_t steps() const { return spec_.grid.count; }
  // Rows in all windows together, overlaps counted every time, and the most rows in one.
  [[nodiscard]] uint64_t total_rows() const { return total_rows_; }
  [[nodiscard]] uint32_t longest() const { return longest_; }

 private:
  void CountAll();

  WindowSpec spec_;
  std::vector<uint32_t> begins_;
  std::vector<uint32_t> ends_;
  uint64_t total_rows_ = 0;
  uint32_t longest_ = 0;
  // The timeline that they are filled for, when it was a regular one.
  bool filled_regular_ = false;
  int64_t filled_first_ns_ = 0;
  int64_t filled_step_ns_ = 0;
  size_t filled_size_ = 0;
};

}  // namespace tidemark::query::scan
