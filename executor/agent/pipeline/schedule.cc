#include "executor/agent/pipeline/schedule.h"

#include <algorithm>

#include "storage/base/check.h"

namespace tidemark::executor {
namespace {

std::vector<std::vector<size_t>> NeededBy(const Pipeline& pipeline) {
  std::vector<std::vector<size_t>> needed_by(pipeline.tasks.size());
  for (size_t i = 0; i < pipeline.tasks.size(); ++i) {
    for (const size_t need : pipeline.tasks[i].needs) needed_by[need].push_back(i);
  }
  return needed_by;
}

// Longest way from the start of each task to the end: tasks without followers first (Kahn's order, backwards).
std::vector<int64_t> WaysToEnd(const Pipeline& pipeline, const std::vector<int64_t>& weights) {
  std::vector<int64_t> ways(weights.size(), 0);
  std::vector<size_t> followers(weights.size(), 0);
  for (const TaskSpec& task : pipeline.tasks) {
    for (const size_t need : task.needs) ++followers[need];
  }
  std::vector<size_t> open;
  for (size_t i = 0; i < followers.size(); ++i) {
    if (followers[i] == 0) open.push_back(i);
  }
  while (!open.empty()) {
    const size_t task = open.back();
    open.pop_back();
    ways[task] += weights[task];
    for (const size_t need : pipeline.tasks[task].needs) {
      ways[need] = std::max(ways[need], ways[task]);
      if (--followers[need] == 0) open.push_back(need);
    }
  }
  return ways;
}

// What earlier runs measured counts before what the file expects; 0: neither.
int64_t Expected(const TaskSpec& task, const KnownDurations& known) {
  const auto found = known.find(task.name);
  return found != known.end() ? std::max<int64_t>(1, found->second) : task.weight_ns;
}

}  // namespace

Schedule::Schedule(const Pipeline& pipeline, const KnownDurations& known)
    : states_(pipeline.tasks.size(), State::kWaiting),
      missing_needs_(pipeline.tasks.size()),
      needed_by_(NeededBy(pipeline)),
      queued_(pipeline.tasks.size()) {
  int64_t sum = 0, count = 0;
  for (const TaskSpec& task : pipeline.tasks) {
    if (const int64_t expected = Expected(task, known); expected > 0) sum += expected, ++count;
  }
  const int64_t unknown = count > 0 ? std::max<int64_t>(1, sum / count) : 1;
  std::vector<int64_t> weights;
  for (const TaskSpec& task : pipeline.tasks) {
    const int64_t expected = Expected(task, known);
    weights.push_back(expected > 0 ? expected : unknown);
  }
  way_to_end_ = WaysToEnd(pipeline, weights);
  for (size_t i = 0; i < pipeline.tasks.size(); ++i) {
    missing_needs_[i] = pipeline.tasks[i].needs.size();
    if (missing_needs_[i] == 0) MakeReady(i);
  }
}

void Schedule::MakeReady(size_t task) {
  states_[task] = State::kReady;
  ready_.push_back(task);
  std::push_heap(ready_.begin(), ready_.end(), [this](size_t a, size_t b) {
    return way_to_end_[a] != way_to_end_[b] ? way_to_end_[a] < way_to_end_[b] : a > b;
  });
}

size_t Schedule::Take() {
  TM_CHECK(!ready_.empty());
  std::pop_heap(ready_.begin(), ready_.end(), [this](size_t a, size_t b) {
    return way_to_end_[a] != way_to_end_[b] ? way_to_end_[a] < way_to_end_[b] : a > b;
  });
  const size_t task = ready_.back();
  ready_.pop_back();
  states_[task] = State::kTaken;
  --queued_;
  return task;
}

std::vector<size_t> Schedule::Succeeded(size_t task) {
  TM_CHECK(states_[task] == State::kTaken);
  std::vector<size_t> now_ready;
  for (const size_t follower : needed_by_[task]) {
    if (--missing_needs_[follower] > 0 || states_[follower] != State::kWaiting) continue;
    MakeReady(follower);
    now_ready.push_back(follower);
  }
  return now_ready;
}

std::vector<size_t> Schedule::Failed(size_t task) {
  TM_CHECK(states_[task] == State::kTaken);
  std::vector<size_t> skipped;
  std::vector<size_t> open{task};
  while (!open.empty()) {
    const size_t at = open.back();
    open.pop_back();
    for (const size_t follower : needed_by_[at]) {
      if (states_[follower] != State::kWaiting) continue;
      states_[follower] = State::kSkipped;
      --queued_;
      skipped.push_back(follower);
      open.push_back(follower);
    }
  }
  std::sort(skipped.begin(), skipped.end());
  return skipped;
}

std::vector<size_t> Schedule::SkipAll() {
  std::vector<size_t> skipped;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i] != State::kWaiting && states_[i] != State::kReady) continue;
    states_[i] = State::kSkipped;
    skipped.push_back(i);
  }
  ready_.clear();
  queued_ = 0;
  return skipped;
}

int64_t CriticalPath(const Pipeline& pipeline, const std::vector<int64_t>& durations) {
  const std::vector<int64_t> ways = WaysToEnd(pipeline, durations);
  return ways.empty() ? 0 : *std::max_element(ways.begin(), ways.end());
}

}  // namespace tidemark::executor
