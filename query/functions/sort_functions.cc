// sort(), sort_desc(), sort_by_label(), sort_by_label_desc().
#include <algorithm>
#include <cmath>
#include <numeric>

#include "query/frame/frame_order.h"
#include "query/functions/kernels.h"

namespace tidemark::query::functions {
namespace {

using frame::Frame;
using frame::LabelSet;
using frame::NaturalLess;
using frame::Reordered;
using frame::StableSort;

template <typename Less>
Status SortRows(const CallArguments& call, Frame* frame, const Less& less) {
  std::vector<uint32_t> order(frame->size());
  std::iota(order.begin(), order.end(), 0U);
  TM_RETURN_IF_ERROR(StableSort(&order, less, call.state));
  TM_TRY_ASSIGN(*frame, Reordered(*frame, order, call.state));
  return {};
}

// NaN last in both directions.
template <typename Better>
Status SortByValue(const CallArguments& call, Frame* frame, Better better) {
  if (frame->steps != 1) return {};
  return SortRows(call, frame, [&](uint32_t a, uint32_t b) {
    const double x = frame->values[a];
    const double y = frame->values[b];
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return better(x, y);
  });
}

Status SortByText(const CallArguments& call, Frame* frame, bool descending) {
  if (frame->steps != 1) return {};
  return SortRows(call, frame, [&](uint32_t a, uint32_t b) {
    const LabelSet& x = frame->rows[descending ? b : a].labels;
    const LabelSet& y = frame->rows[descending ? a : b].labels;
    for (size_t i = 1; i < call.node.args.size(); ++i) {
      const std::string_view p = x.Get(call.Text(i));
      const std::string_view q = y.Get(call.Text(i));
      if (p != q) return NaturalLess(p, q);
    }
    return (x <=> y) < 0;
  });
}

}  // namespace

Status FrameSort(const CallArguments& call, Frame* frame) {
  return SortByValue(call, frame, [](double a, double b) { return a < b; });
}
Status FrameSortDesc(const CallArguments& call, Frame* frame) {
  return SortByValue(call, frame, [](double a, double b) { return a > b; });
}
Status FrameSortByLabel(const CallArguments& call, Frame* frame) { return SortByText(call, frame, false); }
Status FrameSortByLabelDesc(const CallArguments& call, Frame* frame) { return SortByText(call, frame, true); }

}  // namespace tidemark::query::functions
