#include "storage/database/change_log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <utility>

namespace tidemark::storage::database {
namespace {

constexpr int64_t kMinNs = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxNs = std::numeric_limits<int64_t>::max();

uint64_t NextLogId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// The whole seconds around a range.
model::TimeRange Widened(model::TimeRange range) {
  constexpr int64_t kGrain = ChangeLog::kGrainNs;
  const auto start_of = [](int64_t ns) {
    const int64_t rest = ns % kGrain;
    const int64_t back = rest < 0 ? rest + kGrain : rest;
    return ns < kMinNs + back ? kMinNs : ns - back;
  };
  const int64_t last_start = start_of(range.last.ns);
  const int64_t last = last_start > kMaxNs - (kGrain - 1) ? kMaxNs : last_start + (kGrain - 1);
  return {{start_of(range.first.ns)}, {last}};
}

}  // namespace

ChangeLog::ChangeLog() : id_(NextLogId()) {}

ChangeLog::Change ChangeLog::Begin(std::span<const model::TimeRange> ranges) {
  Pending pending;
  for (const model::TimeRange& range : ranges) {
    if (!range.empty()) pending.ranges.push_back(Widened(range));
  }
  MutexLock lock(mutex_);
  pending.id = next_id_++;
  const uint64_t id = pending.id;
  pending_.push_back(std::move(pending));
  return {this, id};
}

void ChangeLog::End(uint64_t id) {
  MutexLock lock(mutex_);
  const auto at = std::ranges::find(pending_, id, &Pending::id);
  const std::vector<model::TimeRange> ranges = std::move(at->ranges);
  if (at != pending_.end() - 1) *at = std::move(pending_.back());
  pending_.pop_back();
  ++number_;
  for (const model::TimeRange& range : ranges) Put(range, number_);
  if (intervals_.size() > kMaxIntervals) Forget();
}

void ChangeLog::Put(model::TimeRange range, uint64_t number) {
  // Cuts what is there out of the way: the part of an interval before the range, and the part behind it, stay.
  auto at = intervals_.upper_bound(range.first.ns);
  if (at != intervals_.begin() && std::prev(at)->second.last_ns >= range.first.ns) --at;
  while (at != intervals_.end() && at->first <= range.last.ns) {
    const int64_t first = at->first;
    const Interval interval = at->second;
    at = intervals_.erase(at);
    if (first < range.first.ns) intervals_.emplace(first, Interval{range.first.ns - 1, interval.number});
    if (interval.last_ns > range.last.ns) {
      at = intervals_.emplace(range.last.ns + 1, Interval{interval.last_ns, interval.number}).first;
      break;
    }
  }
  intervals_.emplace(range.first.ns, Interval{range.last.ns, number});
}

void ChangeLog::Forget() {
  std::vector<uint64_t> numbers;
  numbers.reserve(intervals_.size());
  for (const auto& [_, interval] : intervals_) numbers.push_back(interval.number);
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::ranges::nth_element(numbers, middle);
  forgotten_ = *middle;
  std::erase_if(intervals_, [until = forgotten_](const auto& item) { return item.second.number <= until; });
}

void ChangeLog::NoteHidden(int64_t last_ns) {
  MutexLock lock(mutex_);
  hidden_last_ns_ = hides_ ? std::max(hidden_last_ns_, last_ns) : last_ns;
  hides_ = true;
}

uint64_t ChangeLog::number() const {
  MutexLock lock(mutex_);
  return number_;
}

std::vector<model::TimeRange> ChangeLog::Since(uint64_t number) const {
  std::vector<model::TimeRange> found;
  {
    MutexLock lock(mutex_);
    if (number < forgotten_) return {model::TimeRange{}};
    if (hides_) found.push_back({model::Timestamp::Min(), {hidden_last_ns_}});
    for (const auto& [first, interval] : intervals_) {
      if (interval.number > number) found.push_back({{first}, {interval.last_ns}});
    }
    for (const Pending& pending : pending_) found.insert(found.end(), pending.ranges.begin(), pending.ranges.end());
  }
  std::ranges::sort(found, {}, &model::TimeRange::first);
  std::vector<model::TimeRange> out;
  for (const model::TimeRange& range : found) {
    if (!out.empty() && (out.back().last.ns == kMaxNs || range.first.ns <= out.back().last.ns + 1)) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

std::vector<model::TimeRange> TouchedRanges(std::span<const model::ResolvedRow> rows) {
  if (rows.empty()) return {};
  model::TimeRange all{rows[0].time, rows[0].time};
  for (const model::ResolvedRow& row : rows) {
    all.first = std::min(all.first, row.time);
    all.last = std::max(all.last, row.time);
  }
  constexpr uint64_t kWorthCutting = uint64_t{60} * 1'000'000'000;
  constexpr uint64_t kParts = 64;
  const uint64_t span = static_cast<uint64_t>(all.last.ns) - static_cast<uint64_t>(all.first.ns);
  if (span < kWorthCutting) return {all};
  const uint64_t width = span / kParts + 1;
  std::array<model::TimeRange, kParts> parts;
  parts.fill({model::Timestamp::Max(), model::Timestamp::Min()});
  for (const model::ResolvedRow& row : rows) {
    model::TimeRange& part = parts[(static_cast<uint64_t>(row.time.ns) - static_cast<uint64_t>(all.first.ns)) / width];
    part.first = std::min(part.first, row.time);
    part.last = std::max(part.last, row.time);
  }
  std::vector<model::TimeRange> out;
  for (const model::TimeRange& part : parts) {
    if (!part.empty()) out.push_back(part);
  }
  return out;
}

}  // namespace tidemark::storage::database
