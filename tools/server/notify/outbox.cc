#include "tools/server/notify/outbox.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

namespace tidemark::server::notify {
namespace {

constexpr int64_t kFirstBackoffNs = 500'000'000;
constexpr int64_t kBackoffMaxNs = 60'000'000'000;
constexpr int64_t kLongestWaitNs = 1'000'000'000;

}  // namespace

int64_t BackoffNs(int failures) {
  const double ns = static_cast<double>(kFirstBackoffNs) * std::pow(1.5, std::min(failures - 1, 30));
  return static_cast<int64_t>(std::min(ns, static_cast<double>(kBackoffMaxNs)));
}

void Outbox::Add(const query::notify::Channel& channel, std::string id) {
  MutexLock lock(mutex_);
  if (stopping_) return;
  Lane& lane = lanes_[{channel.receiver, channel.integration}];
  lane.stats.receiver = channel.receiver;
  lane.stats.integration = channel.integration;
  lane.waiting.push_back(std::move(id));
  if (idle_ == 0 && threads_.size() < kThreadsMax) threads_.emplace_back([this] { Work(); });
  wake_.NotifyOne();
}

void Outbox::Stop() {
  std::vector<std::jthread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    threads.swap(threads_);
  }
}

Outbox::Lane* Outbox::Ready(int64_t* wait_ns) {
  const int64_t now_ns = clock_->SteadyNs();
  *wait_ns = kLongestWaitNs;
  for (auto& [key, lane] : lanes_) {
    const int most = lane.stats.failures == 0 ? kLaneMax : 1;
    if (lane.waiting.empty() || lane.running >= most) continue;
    if (lane.not_before_ns <= now_ns) return &lane;
    *wait_ns = std::min(*wait_ns, lane.not_before_ns - now_ns);
  }
  return nullptr;
}

void Outbox::Work() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    int64_t wait_ns = 0;
    Lane* const lane = Ready(&wait_ns);
    if (lane == nullptr) {
      ++idle_;
      wake_.WaitFor(mutex_, std::chrono::nanoseconds(wait_ns));
      --idle_;
      continue;
    }
    const std::string id = std::move(lane->waiting.front());
    lane->waiting.pop_front();
    ++lane->running;
    // Another lane may be ready, and the thread that would see it is about to be busy.
    if (idle_ == 0 && threads_.size() < kThreadsMax && Ready(&wait_ns) != nullptr) {
      threads_.emplace_back([this] { Work(); });
    }
    mutex_.Unlock();
    const std::optional<DeliveryOutcome> outcome = attempt_(id);
    const bool again = outcome && ended_(id, *outcome);
    mutex_.Lock();
    Note(lane, id, outcome, again);
  }
}

void Outbox::Note(Lane* lane, const std::string& id, const std::optional<DeliveryOutcome>& outcome, bool again) {
  --lane->running;
  if (outcome) {
    LaneStats& stats = lane->stats;
    if (outcome->kind == DeliveryOutcome::Kind::kDelivered) {
      ++stats.delivered;
      stats.failures = 0;
      lane->not_before_ns = 0;
    } else {
      ++stats.failed;
      if (outcome->kind == DeliveryOutcome::Kind::kRefused) ++stats.refused;
      stats.last_error = outcome->reason;
      stats.last_error_ns = clock_->NowNs();
      if (outcome->kind == DeliveryOutcome::Kind::kAgain) {
        ++stats.failures;
        lane->not_before_ns = clock_->SteadyNs() + std::max(BackoffNs(stats.failures), outcome->retry_after_ns);
      }
    }
    if (again) lane->waiting.push_front(id);
  }
  wake_.NotifyOne();
}

std::vector<LaneStats> Outbox::Stats() const {
  std::vector<LaneStats> out;
  MutexLock lock(mutex_);
  for (const auto& [key, lane] : lanes_) {
    LaneStats& stats = out.emplace_back(lane.stats);
    stats.waiting = lane.waiting.size() + static_cast<size_t>(lane.running);
  }
  return out;
}

}  // namespace tidemark::server::notify
