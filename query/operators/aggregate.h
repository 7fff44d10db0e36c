// Aggregations by running state: sum, avg, count, min, max, group, stddev, stdvar. Series are folded into groups block
// by block on the workers that made them; no table of all series ever exists.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/frame/frame.h"
#include "query/frame/key_numbers.h"
#include "query/plan/plan.h"
#include "query/run/query_state.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::query::operators {

// Whether `op` keeps a state of fixed size for each group and step.
bool IsRunningAggregate(promql::AggregateOp op);

// The keys of groups, equal for equal groups of other frames, one behind the other in one block of memory.
class GroupKeys {
 public:
  [[nodiscard]] size_t size() const { return hashes_.size(); }
  [[nodiscard]] uint64_t hash(size_t group) const { return hashes_[group]; }
  [[nodiscard]] std::string_view operator[](size_t group) const {
    const size_t begin = group == 0 ? 0 : ends_[group - 1];
    return std::string_view(bytes_).substr(begin, ends_[group] - begin);
  }
  void Add(uint64_t hash, std::string_view key) {
    hashes_.push_back(hash);
    bytes_ += key;
    ends_.push_back(bytes_.size());
  }

 private:
  std::vector<uint64_t> hashes_;
  std::vector<size_t> ends_;
  std::string bytes_;
};

// The rows of a frame sorted into groups.
struct Grouping {
  std::vector<uint32_t> group_of_row;
  GroupKeys keys;                     // of each group
  std::vector<frame::RowHead> heads;  // of each group: its labels, and the strictest fate of its members' names
};

// Groups in order of first appearance. Labels are made in `arena`.
Result<Grouping> GroupRows(const plan::AggregateNode& node, const frame::Frame& frame, frame::LabelArena* arena,
                           const run::QueryState* state);

// The states of some groups at every step. Not thread-safe.
class PartialAggregate {
 public:
  virtual ~PartialAggregate() = default;
  // Groups in all; new ones are empty.
  virtual void Resize(size_t groups) = 0;
  virtual void AddRow(size_t group, std::span<const double> values, std::span<const uint8_t> present) = 0;
  // Adds group `from_group` of `other` (same operation, later values).
  virtual void Merge(size_t group, const PartialAggregate& other, size_t from_group) = 0;
  virtual void Finish(size_t group, std::span<double> values, std::span<uint8_t> present) const = 0;
  [[nodiscard]] virtual size_t bytes() const = 0;
};

std::unique_ptr<PartialAggregate> NewPartialAggregate(promql::AggregateOp op, size_t steps);

// Takes blocks in any order and merges their partial states in the order of the blocks, so that a query gives the same
// bits however its work was spread. Add is thread-safe.
class RunningAggregation {
 public:
  RunningAggregation(const plan::AggregateNode& node, size_t steps, run::QueryState* state);

  Status Add(size_t block, frame::Frame&& frame);
  // When all blocks are in.
  Result<frame::Frame> Finish();

 private:
  struct Block {
    Grouping grouping;
    std::unique_ptr<PartialAggregate> partial;
  };
  Status Merge(Block&& block) TM_REQUIRES(mutex_);

  const plan::AggregateNode& node_;
  size_t steps_;
  run::QueryState* state_;
  Mutex mutex_;
  size_t next_block_ TM_GUARDED_BY(mutex_) = 0;
  std::map<size_t, Block> waiting_ TM_GUARDED_BY(mutex_);
  // Of heads_. The keys of the first block are numbered when there is a second one.
  frame::KeyNumbers groups_ TM_GUARDED_BY(mutex_){0};
  GroupKeys keys_ TM_GUARDED_BY(mutex_);
  std::vector<frame::RowHead> heads_ TM_GUARDED_BY(mutex_);
  size_t capacity_ TM_GUARDED_BY(mutex_) = 0;  // groups that total_ has room for; grows by doubling
  std::unique_ptr<PartialAggregate> total_ TM_GUARDED_BY(mutex_);
  run::Reservation memory_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::query::operators
