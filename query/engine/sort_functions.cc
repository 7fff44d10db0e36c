// sort(), sort_desc(), sort_by_label(), sort_by_label_desc().
#include <algorithm>
#include <cmath>
#include <numeric>

#include "query/engine/frame_order.h"
#include "query/engine/kernels.h"

namespace tidemark::query::engine {
namespace {

template <typename Less>
void SortRows(Frame* frame, Less less) {
  std::vector<uint32_t> order(frame->size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), less);
  *frame = Reordered(*frame, order);
}

// NaN last in both directions.
template <typename Better>
Status SortByValue(Frame* frame, Better better) {
  if (frame->steps != 1) return {};
  SortRows(frame, [&](uint32_t a, uint32_t b) {
    const double x = frame->values[a];
    const double y = frame->values[b];
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return better(x, y);
  });
  return {};
}

Status SortByText(const CallArguments& call, Frame* frame, bool descending) {
  if (frame->steps != 1) return {};
  SortRows(frame, [&](uint32_t a, uint32_t b) {
    const LabelSet& x = frame->rows[descending ? b : a].labels;
    const LabelSet& y = frame->rows[descending ? a : b].labels;
    for (size_t i = 1; i < call.node.args.size(); ++i) {
      const std::string_view p = x.Get(call.Text(i));
      const std::string_view q = y.Get(call.Text(i));
      if (p != q) return NaturalLess(p, q);
    }
    return (x <=> y) < 0;
  });
  return {};
}

}  // namespace

Status FrameSort(const CallArguments&, Frame* frame) {
  return SortByValue(frame, [](double a, double b) { return a < b; });
}
Status FrameSortDesc(const CallArguments&, Frame* frame) {
  return SortByValue(frame, [](double a, double b) { return a > b; });
}
Status FrameSortByLabel(const CallArguments& call, Frame* frame) { return SortByText(call, frame, false); }
Status FrameSortByLabelDesc(const CallArguments& call, Frame* frame) { return SortByText(call, frame, true); }

}  // namespace tidemark::query::engine
