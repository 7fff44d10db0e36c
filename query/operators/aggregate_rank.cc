#include "query/operators/aggregate_rank.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "query/frame/frame_order.h"
#include "query/frame/go_format.h"
#include "query/frame/quantile.h"
#include "query/operators/aggregate.h"
#include "query/promql/printer.h"
#include "query/promql/quote.h"
#include "query/scan/scan.h"
#include "storage/base/utf8.h"

namespace tidemark::query::operators {
namespace {

using frame::CheckAtRow;
using frame::DropEmptyRows;
using frame::Frame;
using frame::GoFormat;
using frame::GoFormatFixed;
using frame::KeyOf;
using frame::LabelArena;
using frame::LabelSet;
using frame::Quantile;
using frame::Reordered;
using frame::RowHead;
using frame::SetLabel;
using frame::StableSort;
using promql::AggregateOp;
using run::QueryState;
using run::Reservation;
using scan::ForEachBlock;

// Cells looked at between two looks at the clock.
constexpr size_t kCellsPerCheck = 1 << 18;
// To keep more than this of a group takes long enough that it must be possible to cancel it.
constexpr size_t kManyKept = 4096;

struct ParamRange {
  double least = 0;
  double most = 0;
  bool has_nan = false;
};

ParamRange RangeOf(std::span<const double> param) {
  ParamRange out{.least = param[0], .most = param[0]};
  for (const double value : param) {
    out.has_nan = out.has_nan || std::isnan(value);
    out.least = std::min(out.least, value);
    out.most = std::max(out.most, value);
  }
  return out;
}

Result<std::vector<std::vector<uint32_t>>> RowsOfGroups(const Grouping& grouping, const QueryState* state) {
  std::vector<std::vector<uint32_t>> rows(grouping.heads.size());
  for (size_t row = 0; row < grouping.group_of_row.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    rows[grouping.group_of_row[row]].push_back(static_cast<uint32_t>(row));
  }
  return rows;
}

// How many series topk, bottomk and limitk keep at each step.
Result<std::vector<size_t>> Limits(std::span<const double> param, size_t rows) {
  const ParamRange range = RangeOf(param);
  std::vector<size_t> out(param.size(), 0);
  if (range.most < 1) return out;
  if (range.has_nan) return InvalidArgument("Parameter value is NaN");
  constexpr double kInt64 = 9223372036854775808.0;
  if (range.least <= -kInt64) {
    return InvalidArgument(fmt::format("Scalar value {} underflows int64", GoFormat(range.least)));
  }
  if (range.most >= kInt64) {
    return InvalidArgument(fmt::format("Scalar value {} overflows int64", GoFormat(range.most)));
  }
  for (size_t step = 0; step < param.size(); ++step) {
    out[step] = param[step] < 1 ? 0 : static_cast<size_t>(std::min(param[step], static_cast<double>(rows)));
  }
  return out;
}

// Keeps the best rows of each group at each step; of equals the earlier ones. NaN is worst.
class BestRows {
 public:
  BestRows(bool highest, Frame frame, const QueryState* state)
      : highest_(highest), frame_(std::move(frame)), state_(state) {}

  Result<Frame> Run(const Grouping& grouping, const std::vector<size_t>& limits) {
    std::vector<uint32_t> order;
    std::vector<uint32_t> candidates;
    size_t looked_at = 0;
    TM_TRY_ASSIGN(const std::vector<std::vector<uint32_t>> groups, RowsOfGroups(grouping, state_));
    for (const std::vector<uint32_t>& rows : groups) {
      for (size_t step = 0; step < frame_.steps; ++step) {
        looked_at += rows.size();
        if (looked_at >= kCellsPerCheck) {
          looked_at = 0;
          TM_RETURN_IF_ERROR(state_->CheckInterrupt());
        }
        candidates.clear();
        for (size_t i = 0; i < rows.size(); ++i) {
          TM_RETURN_IF_ERROR(CheckAtRow(state_, i + 1));
          const uint32_t row = rows[i];
          if (frame_.RowPresent(row)[step] != 0) candidates.push_back(row);
        }
        const auto keep = static_cast<std::ptrdiff_t>(std::min(limits[step], candidates.size()));
        const auto better = [&](uint32_t a, uint32_t b) {
          return Better(frame_.RowValues(a)[step], frame_.RowValues(b)[step], a < b);
        };
        if (limits[step] > kManyKept) {
          TM_RETURN_IF_ERROR(StableSort(&candidates, better, state_));
        } else {
          TM_RETURN_IF_ERROR(BestFirst(&candidates, keep, better));
        }
        const auto kept = candidates.begin() + keep;
        for (auto it = kept; it != candidates.end(); ++it) frame_.RowPresent(*it)[step] = 0;
        if (frame_.steps == 1) order.insert(order.end(), candidates.begin(), kept);
      }
    }
    if (frame_.steps == 1) return Reordered(frame_, order, state_);
    TM_RETURN_IF_ERROR(DropEmptyRows(&frame_, state_));
    return std::move(frame_);
  }

 private:
  // std::partial_sort: the best `keep` in order in front, while the query is not cancelled.
  template <typename BetterRow>
  Status BestFirst(std::vector<uint32_t>* rows, std::ptrdiff_t keep, const BetterRow& better) const {
    const auto begin = rows->begin();
    const auto end_of_kept = begin + keep;
    if (keep == 0) return {};
    std::make_heap(begin, end_of_kept, better);  // the worst of them on top
    for (auto row = end_of_kept; row != rows->end(); ++row) {
      TM_RETURN_IF_ERROR(CheckAtRow(state_, static_cast<size_t>(row - begin)));
      if (!better(*row, *begin)) continue;
      std::pop_heap(begin, end_of_kept, better);
      std::swap(*(end_of_kept - 1), *row);
      std::push_heap(begin, end_of_kept, better);
    }
    std::sort_heap(begin, end_of_kept, better);
    return {};
  }

  [[nodiscard]] bool Better(double a, double b, bool earlier) const {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b) ? earlier : std::isnan(b);
    if (a == b) return earlier;
    return highest_ ? a > b : a < b;
  }

  bool highest_;
  Frame frame_;
  const QueryState* state_;
};

Result<Frame> FirstRows(Frame frame, const Grouping& grouping, const std::vector<size_t>& limits,
                        const QueryState* state) {
  TM_TRY_ASSIGN(const std::vector<std::vector<uint32_t>> groups, RowsOfGroups(grouping, state));
  for (const std::vector<uint32_t>& rows : groups) {
    for (size_t step = 0; step < frame.steps; ++step) {
      size_t left = limits[step];
      for (size_t i = 0; i < rows.size(); ++i) {
        TM_RETURN_IF_ERROR(CheckAtRow(state, i + 1));
        const uint32_t row = rows[i];
        uint8_t& present = frame.RowPresent(row)[step];
        if (present == 0) continue;
        if (left == 0) {
          present = 0;
        } else {
          --left;
        }
      }
    }
  }
  TM_RETURN_IF_ERROR(DropEmptyRows(&frame, state));
  return frame;
}

// Where a series stands in [0, 1), the same in every query. XXH64 over the labels as Prometheus 3 stores them, so that
// both choose the same series (model/labels, stringlabels build).
double SamplingOffset(const LabelSet& labels) {
  std::string bytes;
  const auto append = [&bytes](std::string_view text) {
    if (text.size() < 255) {
      bytes.push_back(static_cast<char>(text.size()));
    } else {
      bytes.push_back('\xff');
      for (int shift = 0; shift < 24; shift += 8) bytes.push_back(static_cast<char>((text.size() >> shift) & 0xff));
    }
    bytes += text;
  };
  for (const model::LabelView& label : labels) {
    append(label.name);
    append(label.value);
  }
  return static_cast<double>(XXH64(bytes.data(), bytes.size(), 0)) / 18446744073709551616.0;
}

Result<Frame> LimitRatio(const plan::AggregateNode& node, Frame frame, std::span<const double> param,
                         QueryState* state) {
  const ParamRange range = RangeOf(param);
  if (range.most == 0 && range.least == 0) return Frame(frame.steps);
  if (range.has_nan) return InvalidArgument("Ratio value is NaN");
  const auto warn = [&](double got, double cap) {
    state->Warn(
        fmt::format("ratio value should be between -1 and 1, got {}, capping to {}", GoFormat(got), GoFormat(cap)),
        node.param->source->range);
  };
  if (range.most > 1) warn(range.most, 1);
  if (range.least < -1) warn(range.least, -1);
  for (size_t row = 0; row < frame.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    const double offset = SamplingOffset(frame.rows[row].labels);
    for (size_t step = 0; step < frame.steps; ++step) {
      const double ratio = std::clamp(param[step], -1.0, 1.0);
      const bool kept = ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
      if (!kept) frame.RowPresent(row)[step] = 0;
    }
  }
  TM_RETURN_IF_ERROR(DropEmptyRows(&frame, state));
  return frame;
}

Result<Frame> QuantileOfGroups(const plan::AggregateNode& node, const Frame& frame, const Grouping& grouping,
                               std::span<const double> param, QueryState* state) {
  const ParamRange range = RangeOf(param);
  const auto warn = [&](double got) {
    state->Warn(fmt::format("quantile value should be between 0 and 1, got {}", GoFormat(got)),
                node.param->source->range);
  };
  if (range.has_nan) warn(std::nan(""));
  if (range.most > 1) warn(range.most);
  if (range.least < 0) warn(range.least);
  Frame out(frame.steps);
  out.Resize(grouping.heads.size());
  TM_TRY_ASSIGN(const std::vector<std::vector<uint32_t>> rows, RowsOfGroups(grouping, state));
  Status status = ForEachBlock(rows.size(), 1, state, [&](size_t group, size_t, size_t) -> Status {
    std::vector<double> values;
    size_t looked_at = 0;
    for (size_t step = 0; step < frame.steps; ++step) {
      looked_at += rows[group].size();
      if (looked_at >= kCellsPerCheck) {
        looked_at = 0;
        TM_RETURN_IF_ERROR(state->CheckInterrupt());
      }
      values.clear();
      for (size_t i = 0; i < rows[group].size(); ++i) {
        TM_RETURN_IF_ERROR(CheckAtRow(state, i + 1));
        const uint32_t row = rows[group][i];
        if (frame.RowPresent(row)[step] != 0) values.push_back(frame.RowValues(row)[step]);
      }
      if (values.empty()) continue;
      TM_TRY_ASSIGN(out.RowValues(group)[step], Quantile(param[step], values, *state));
      out.RowPresent(group)[step] = 1;
    }
    return {};
  });
  TM_RETURN_IF_ERROR(std::move(status));
  out.rows = grouping.heads;
  return out;
}

Result<Frame> CountValues(const plan::AggregateNode& node, const Frame& frame, QueryState* state) {
  const std::string& label = *plan::As<plan::TextNode>(*node.param).value;
  if (label.empty() || !IsUtf8(label)) {
    return InvalidArgument("invalid label name " + promql::ToString(*node.param->source));
  }
  const bool without = node.aggregate->without;
  std::vector<std::string> names = node.grouping;
  names.emplace_back(without ? std::string(model::kMetricNameLabel) : label);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  auto arena = std::make_unique<LabelArena>();
  Frame out(frame.steps);
  Reservation memory(state);
  std::unordered_map<std::string, size_t> row_of_labels;
  std::string key;
  model::LabelViews labels;
  for (size_t row = 0; row < frame.size(); ++row) {
    // Result rows of this series by the bits of its values.
    std::unordered_map<uint64_t, size_t> row_of_value;
    const LabelSet& own = frame.rows[row].labels;
    for (size_t step = 0; step < frame.steps; ++step) {
      if (frame.RowPresent(row)[step] == 0) continue;
      const double value = frame.RowValues(row)[step];
      const auto [at, added] = row_of_value.emplace(std::bit_cast<uint64_t>(value), 0);
      if (added) {
        labels.assign(own.begin(), own.end());
        SetLabel(&labels, label, arena->Copy(GoFormatFixed(value)));
        const LabelSet all(labels.data(), labels.size());
        const LabelSet kept = without ? Drop(all, names, arena.get()) : Keep(all, names, arena.get());
        KeyOf(kept, &key);
        const auto [found, is_new] = row_of_labels.emplace(key, out.size());
        // Stored again: Drop may have handed back the scratch array, and the label's name belongs to the query.
        if (is_new) {
          out.AddRow({.labels = arena->Store({kept.begin(), kept.end()}), .name = frame.rows[row].name});
          // Every new value is a row of all steps.
          if (out.size() % 64 == 0) TM_RETURN_IF_ERROR(memory.Set(out.bytes()));
        }
        at->second = found->second;
      }
      out.RowValues(at->second)[step] += 1;
      out.RowPresent(at->second)[step] = 1;
    }
    TM_RETURN_IF_ERROR(state->CheckInterrupt());
  }
  for (RowHead& head : out.rows) {
    labels.assign(head.labels.begin(), head.labels.end());
    for (model::LabelView& view : labels) {
      if (view.name == label) view.name = arena->Copy(label);
    }
    head.labels = arena->Store(labels);
  }
  state->Keep(std::move(arena));
  return out;
}

}  // namespace

Result<Frame> AggregateRanked(const plan::AggregateNode& node, Frame frame, std::span<const double> param,
                              QueryState* state) {
  const AggregateOp op = node.aggregate->op;
  if (op == AggregateOp::kCountValues) return CountValues(node, frame, state);
  if (op == AggregateOp::kLimitRatio) return LimitRatio(node, std::move(frame), param, state);
  auto arena = std::make_unique<LabelArena>();
  TM_TRY_ASSIGN(const Grouping grouping, GroupRows(node, frame, arena.get(), state));
  state->Keep(std::move(arena));
  if (op == AggregateOp::kQuantile) return QuantileOfGroups(node, frame, grouping, param, state);
  TM_TRY_ASSIGN(const std::vector<size_t> limits, Limits(param, frame.size()));
  if (op == AggregateOp::kLimitk) return FirstRows(std::move(frame), grouping, limits, state);
  return BestRows(op == AggregateOp::kTopk, std::move(frame), state).Run(grouping, limits);
}

}  // namespace tidemark::query::operators
