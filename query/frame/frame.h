// Frame: the values of many series at the steps of one grid, as one contiguous table. What operators hand to each
// other, either whole or in blocks of some series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "query/frame/interrupt.h"
#include "query/frame/label_set.h"
#include "storage/base/result.h"

namespace tidemark::query::frame {

// Whether the metric name of a row goes away when the query ends. Prometheus' "delayed name removal": until then
// label_replace, `by (__name__)` and messages still see it.
enum class NameFate : uint8_t {
  kKeep,
  kDropUnlessGrouped,  // goes, unless an aggregation by (__name__) asks for it (query/engine/README.md, "Decisions")
  kDrop,
};

struct RowHead {
  LabelSet labels;
  NameFate name = NameFate::kKeep;
};

// rows x steps. Row r has its values at [r * steps, (r + 1) * steps); a value counts where the byte in `present` at
// the same index is 1 and is arbitrary where it is 0.
struct Frame {
  size_t steps = 0;
  std::vector<RowHead> rows;
  std::vector<double> values;
  std::vector<uint8_t> present;

  Frame() = default;
  explicit Frame(size_t step_count) : steps(step_count) {}

  [[nodiscard]] size_t size() const { return rows.size(); }
  [[nodiscard]] std::span<double> RowValues(size_t row) { return {values.data() + row * steps, steps}; }
  [[nodiscard]] std::span<const double> RowValues(size_t row) const { return {values.data() + row * steps, steps}; }
  [[nodiscard]] std::span<uint8_t> RowPresent(size_t row) { return {present.data() + row * steps, steps}; }
  [[nodiscard]] std::span<const uint8_t> RowPresent(size_t row) const { return {present.data() + row * steps, steps}; }
  [[nodiscard]] size_t bytes() const {
    return values.capacity() * sizeof(double) + present.capacity() + rows.capacity() * sizeof(RowHead);
  }

  // `count` rows, all values absent.
  void Resize(size_t count);
  // Adds a row, absent everywhere; its index.
  size_t AddRow(const RowHead& head);
  // Adds a copy of row `row` of `other`, which has as many steps.
  void AddRowOf(const Frame& other, size_t row);
  // Removes rows that are absent everywhere, keeping the order.
  void DropEmptyRows();
};

// Whether the query should end, asked at every few thousandth `row` of a loop; a null one never ends.
Status CheckAtRow(const Interrupt* interrupt, size_t row);

// Makes rows with equal labels one row. kInvalidArgument, in Prometheus' words, when two of them have a value at the
// same step.
Status MergeEqualLabels(Frame* frame, const Interrupt* interrupt);

// Takes away the metric names of all rows whose fate it is, which is the end of a query. Rows that become equal are
// merged or refused, as in MergeEqualLabels. The new labels are in `arena`.
Status DropNames(Frame* frame, LabelArena* arena, const Interrupt* interrupt);

}  // namespace tidemark::query::frame
