#include "query/frame/frame_order.h"

#include <algorithm>
#include <numeric>

#include "storage/base/text/ascii.h"

namespace tidemark::query::frame {
namespace {

using text::IsDigit;

// Cells that are copied without asking whether to go on: under a millisecond.
constexpr size_t kCellsPerCheck = size_t{1} << 17;

// The run of digits, or of other characters, at the start of `text`.
std::string_view Run(std::string_view text) {
  const bool digits = IsDigit(text.front());
  size_t end = 1;
  while (end < text.size() && IsDigit(text[end]) == digits) ++end;
  return text.substr(0, end);
}

std::string_view WithoutLeadingZeros(std::string_view digits) {
  const size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

}  // namespace

Status DropEmptyRows(Frame* frame, const Interrupt* interrupt) {
  size_t out = 0;
  size_t looked_at = 0;
  for (size_t row = 0; row < frame->size(); ++row) {
    if ((looked_at += frame->steps) >= kCellsPerCheck) {
      looked_at = 0;
      if (interrupt != nullptr) TM_RETURN_IF_ERROR(interrupt->CheckInterrupt());
    }
    const auto from = frame->RowPresent(row);
    if (std::ranges::find(from, uint8_t{1}) == from.end()) continue;
    if (out != row) {
      frame->rows[out] = frame->rows[row];
      std::ranges::copy(frame->RowValues(row), frame->RowValues(out).begin());
      std::ranges::copy(from, frame->RowPresent(out).begin());
    }
    ++out;
  }
  frame->Resize(out);
  return {};
}

Result<Frame> Reordered(const Frame& frame, const std::vector<uint32_t>& order, const Interrupt* interrupt) {
  Frame out(frame.steps);
  out.rows.reserve(order.size());
  out.values.reserve(order.size() * frame.steps);
  out.present.reserve(order.size() * frame.steps);
  for (size_t i = 0; i < order.size(); ++i) {
    TM_RETURN_IF_ERROR(CheckAtRow(interrupt, i));
    out.AddRowOf(frame, order[i]);
  }
  return out;
}

Status SortByLabels(Frame* frame, const Interrupt* interrupt) {
  if (frame->size() < 2) return {};
  std::vector<uint32_t> order(frame->size());
  std::iota(order.begin(), order.end(), 0U);
  const auto less = [&](uint32_t a, uint32_t b) { return (frame->rows[a].labels <=> frame->rows[b].labels) < 0; };
  if (std::is_sorted(order.begin(), order.end(), less)) return {};
  TM_RETURN_IF_ERROR(StableSort(&order, less, interrupt));
  TM_TRY_ASSIGN(*frame, Reordered(*frame, order, interrupt));
  return {};
}

bool NaturalLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const std::string_view run_a = Run(a);
    const std::string_view run_b = Run(b);
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const std::string_view number_a = WithoutLeadingZeros(run_a);
      const std::string_view number_b = WithoutLeadingZeros(run_b);
      if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
      if (number_a != number_b) return number_a < number_b;
      // Equal numbers: the one with fewer leading zeros first.
      if (run_a.size() != run_b.size()) return run_a.size() < run_b.size();
    } else if (run_a != run_b) {
      return run_a < run_b;
    }
    a.remove_prefix(run_a.size());
    b.remove_prefix(run_b.size());
  }
  return a.empty() && !b.empty();
}

}  // namespace tidemark::query::frame
