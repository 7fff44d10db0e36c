#include "query/operators/aggregate.h"

#include <algorithm>
#include <utility>

#include "query/frame/key_numbers.h"
#include "query/operators/aggregate_cells.h"
#include "storage/base/check.h"
#include "storage/base/hash.h"

namespace tidemark::query::operators {
namespace {

using frame::CheckAtRow;
using frame::Frame;
using frame::KeyNumbers;
using frame::KeyOfAllBut;
using frame::KeyOfOnly;
using frame::LabelArena;
using frame::NameFate;
using frame::RowHead;
using promql::AggregateOp;
using run::QueryState;

template <typename Cell>
class CellAggregate final : public PartialAggregate {
 public:
  explicit CellAggregate(size_t steps) : steps_(steps) {}

  void Resize(size_t groups) override { cells_.resize(groups * steps_); }

  void AddRow(size_t group, std::span<const double> values, std::span<const uint8_t> present) override {
    Cell* const cells = cells_.data() + group * steps_;
    for (size_t step = 0; step < steps_; ++step) {
      if (present[step] != 0) cells[step].Add(values[step]);
    }
  }

  void Merge(size_t group, const PartialAggregate& other, size_t from_group) override {
    Cell* const cells = cells_.data() + group * steps_;
    const Cell* const from = static_cast<const CellAggregate&>(other).cells_.data() + from_group * steps_;
    for (size_t step = 0; step < steps_; ++step) {
      if (!from[step].empty()) cells[step].Merge(from[step]);
    }
  }

  void Finish(size_t group, std::span<double> values, std::span<uint8_t> present) const override {
    const Cell* const cells = cells_.data() + group * steps_;
    for (size_t step = 0; step < steps_; ++step) {
      if (cells[step].empty()) continue;
      values[step] = cells[step].Value();
      present[step] = 1;
    }
  }

  [[nodiscard]] size_t bytes() const override { return cells_.capacity() * sizeof(Cell); }

 private:
  size_t steps_;
  std::vector<Cell> cells_;
};

bool NamesMetric(const std::vector<std::string>& grouping) {
  return std::ranges::find(grouping, model::kMetricNameLabel) != grouping.end();
}

}  // namespace

bool IsRunningAggregate(AggregateOp op) {
  switch (op) {
    case AggregateOp::kSum:
    case AggregateOp::kAvg:
    case AggregateOp::kCount:
    case AggregateOp::kMin:
    case AggregateOp::kMax:
    case AggregateOp::kGroup:
    case AggregateOp::kStddev:
    case AggregateOp::kStdvar: return true;
    default: return false;
  }
}

std::unique_ptr<PartialAggregate> NewPartialAggregate(AggregateOp op, size_t steps) {
  switch (op) {
    case AggregateOp::kSum: return std::make_unique<CellAggregate<SumCell>>(steps);
    case AggregateOp::kAvg: return std::make_unique<CellAggregate<AvgCell>>(steps);
    case AggregateOp::kCount: return std::make_unique<CellAggregate<CountCell>>(steps);
    case AggregateOp::kMin: return std::make_unique<CellAggregate<MinCell>>(steps);
    case AggregateOp::kMax: return std::make_unique<CellAggregate<MaxCell>>(steps);
    case AggregateOp::kStddev: return std::make_unique<CellAggregate<StddevCell>>(steps);
    case AggregateOp::kStdvar: return std::make_unique<CellAggregate<StdvarCell>>(steps);
    default: return std::make_unique<CellAggregate<GroupCell>>(steps);
  }
}

Result<Grouping> GroupRows(const plan::AggregateNode& node, const Frame& frame, LabelArena* arena,
                           const QueryState* state) {
  Grouping out;
  out.group_of_row.resize(frame.size());
  const bool without = node.aggregate->without;
  std::vector<std::string> names = node.grouping;
  if (without && !NamesMetric(names)) {
    names.emplace_back(model::kMetricNameLabel);
    std::ranges::sort(names);
  }
  const bool keeps_name = !without && NamesMetric(names);
  KeyNumbers seen(0);
  std::string key;
  for (size_t row = 0; row < frame.size(); ++row) {
    TM_RETURN_IF_ERROR(CheckAtRow(state, row));
    const RowHead& head = frame.rows[row];
    if (without) {
      KeyOfAllBut(head.labels, names, &key);
    } else {
      KeyOfOnly(head.labels, names, &key);
    }
    const uint64_t hash = Hash64(key, 0);
    const auto [group, added] = seen.NumberOf(hash, [&](uint32_t other) { return out.keys[other] == key; });
    if (added) {
      out.keys.Add(hash, key);
      out.heads.push_back(
          {.labels = without ? Drop(head.labels, names, arena) : Keep(head.labels, names, arena), .name = head.name});
    }
    out.heads[group].name = std::max(out.heads[group].name, head.name);
    out.group_of_row[row] = group;
  }
  for (RowHead& head : out.heads) {
    if (keeps_name && head.name == NameFate::kDropUnlessGrouped) head.name = NameFate::kKeep;
  }
  return out;
}

RunningAggregation::RunningAggregation(const plan::AggregateNode& node, size_t steps, QueryState* state)
    : node_(node),
      steps_(steps),
      state_(state),
      total_(NewPartialAggregate(node.aggregate->op, steps)),
      memory_(state) {}

Status RunningAggregation::Add(size_t block, Frame&& frame) {
  auto arena = std::make_unique<LabelArena>();
  TM_TRY_ASSIGN(Grouping grouping, GroupRows(node_, frame, arena.get(), state_));
  Block folded{.grouping = std::move(grouping), .partial = NewPartialAggregate(node_.aggregate->op, steps_)};
  folded.partial->Resize(folded.grouping.heads.size());
  for (size_t row = 0; row < frame.size(); ++row) {
    folded.partial->AddRow(folded.grouping.group_of_row[row], frame.RowValues(row), frame.RowPresent(row));
  }
  frame = Frame();
  if (arena->allocated_bytes() > 0) state_->Keep(std::move(arena));
  MutexLock lock(mutex_);
  waiting_.emplace(block, std::move(folded));
  while (!waiting_.empty() && waiting_.begin()->first == next_block_) {
    TM_RETURN_IF_ERROR(Merge(std::move(waiting_.begin()->second)));
    waiting_.erase(waiting_.begin());
    ++next_block_;
  }
  return {};
}

Status RunningAggregation::Merge(Block&& block) {
  if (heads_.empty()) {
    // Mostly the only block.
    heads_ = std::move(block.grouping.heads);
    capacity_ = heads_.size();
    total_ = std::move(block.partial);
    keys_ = std::move(block.grouping.keys);
    return memory_.Set(total_->bytes());
  }
  const auto number_of = [&](const GroupKeys& keys, size_t group) TM_REQUIRES(mutex_) {
    return groups_.NumberOf(keys.hash(group),
                            [&](uint32_t other) TM_REQUIRES(mutex_) { return keys_[other] == keys[group]; });
  };
  while (groups_.size() < keys_.size()) number_of(keys_, groups_.size());
  const GroupKeys& keys = block.grouping.keys;
  for (size_t group = 0; group < block.grouping.heads.size(); ++group) {
    const auto [at, added] = number_of(keys, group);
    if (added) {
      keys_.Add(keys.hash(group), keys[group]);
      heads_.push_back(block.grouping.heads[group]);
      if (heads_.size() > capacity_) {
        capacity_ = std::max<size_t>(2 * capacity_, 16);
        total_->Resize(capacity_);
      }
    }
    RowHead& head = heads_[at];
    head.name = std::max(head.name, block.grouping.heads[group].name);
    total_->Merge(at, *block.partial, group);
  }
  return memory_.Set(total_->bytes());
}

Result<Frame> RunningAggregation::Finish() {
  MutexLock lock(mutex_);
  TM_CHECK(waiting_.empty());
  Frame out(steps_);
  out.Resize(heads_.size());
  for (size_t group = 0; group < heads_.size(); ++group) {
    out.rows[group] = heads_[group];
    total_->Finish(group, out.RowValues(group), out.RowPresent(group));
  }
  return out;
}

}  // namespace tidemark::query::operators
