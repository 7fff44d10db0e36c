// Orders in which results are handed out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "query/frame/frame.h"
#include "storage/base/result.h"

namespace tidemark::query::frame {

// Removes rows that are absent everywhere, keeping the order. Errors: those of `interrupt`.
Status DropEmptyRows(Frame* frame, const Interrupt* interrupt);

// Rows rearranged: row i of the result is row order[i] of `frame`; rows not named are left out.
Result<Frame> Reordered(const Frame& frame, const std::vector<uint32_t>& order, const Interrupt* interrupt);

// std::stable_sort in pieces, between which check(row) is asked: its error ends it.
template <typename Less, typename Check>
Status StableSortChecked(std::vector<uint32_t>* order, const Less& less, const Check& check) {
  constexpr size_t kRun = 4096;
  const size_t size = order->size();
  const auto at = [&](size_t index) { return order->begin() + static_cast<std::ptrdiff_t>(std::min(index, size)); };
  for (size_t begin = 0; begin < size; begin += kRun) {
    TM_RETURN_IF_ERROR(check(size_t{0}));
    std::stable_sort(at(begin), at(begin + kRun), less);
  }
  std::vector<uint32_t> merged(size <= kRun ? 0 : size);
  for (size_t run = kRun; run < size; run *= 2) {
    for (size_t begin = 0; begin < size; begin += 2 * run) {
      size_t left = begin;
      size_t right = std::min(begin + run, size);
      const size_t left_end = right;
      const size_t right_end = std::min(begin + 2 * run, size);
      for (size_t out = begin; out < right_end; ++out) {
        TM_RETURN_IF_ERROR(check(out));
        const bool take_right = left == left_end || (right < right_end && less((*order)[right], (*order)[left]));
        merged[out] = (*order)[take_right ? right++ : left++];
      }
    }
    order->swap(merged);
  }
  return {};
}

// The same while the query is not cancelled; a null interrupt never is.
template <typename Less>
Status StableSort(std::vector<uint32_t>* order, const Less& less, const Interrupt* interrupt) {
  return StableSortChecked(order, less, [interrupt](size_t row) { return CheckAtRow(interrupt, row); });
}

// All rows by their labels.
Status SortByLabels(Frame* frame, const Interrupt* interrupt);

// Natural order: runs of digits compare as numbers ("a2" before "a10").
bool NaturalLess(std::string_view a, std::string_view b);

}  // namespace tidemark::query::frame
