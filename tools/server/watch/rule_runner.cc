#include "tools/server/watch/rule_runner.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace tidemark::server {
namespace {

// The machine's clock may be set: no wait is longer than this.
constexpr int64_t kLongestWaitNs = 1'000'000'000;
constexpr int64_t kLookNs = 5'000'000'000;
// Of many groups one is evaluated all the time, and a look at all of them costs something too. So long a rest, for the
// time that a look takes.
constexpr int64_t kRestsForWork = 50;

}  // namespace

RuleRunner::RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Refusal refusal,
                       Tell tell, std::vector<RuleNotices::Before> before)
    : manager_(manager),
      clock_(clock),
      refusal_(std::move(refusal)),
      tell_(std::move(tell)),
      notices_(std::move(external_url)) {
  // That of the store is no rule's.
  const auto of_store = [](const RuleNotices::Before& one) { return one.alert.rule == ReadOnlyNotice::kAlert; };
  for (RuleNotices::Before& one : before) {
    if (refusal_ && of_store(one)) {
      read_only_.Restore(one.alert, model::Timestamp{clock_->NowNs()}.FloorMs());
    }
  }
  std::erase_if(before, of_store);
  notices_.Restore(std::move(before));
  {
    MutexLock lock(mutex_);
    evaluators_.emplace_back([this] { Evaluate(); });
  }
  teller_ = std::jthread([this] { TellNews(); });
}

void RuleRunner::Stop() {
  std::vector<std::jthread> evaluators;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    due_.NotifyAll();
    rest_.NotifyAll();
    followers_.NotifyAll();
    evaluators.swap(evaluators_);
  }
  // What they have found is still told.
  for (std::jthread& evaluator : evaluators) evaluator.join();
  {
    MutexLock lock(mutex_);
    evaluated_ = true;
    news_come_.NotifyAll();
  }
  if (teller_.joinable()) teller_.join();
}

void RuleRunner::Evaluate() {
  while (WaitUntilDue()) {
    if (!manager_->RunOne()) continue;
    MutexLock lock(mutex_);
    news_ = true;
    news_come_.NotifyAll();
  }
}

bool RuleRunner::WaitUntilDue() {
  MutexLock lock(mutex_);
  ++following_;
  while (has_leader_ && !stopping_) followers_.Wait(mutex_);
  --following_;
  has_leader_ = true;
  while (!stopping_) {
    const model::Timestamp next = manager_->NextDue();
    const int64_t now = clock_->NowNs();
    if (next.ns <= now) break;
    due_.WaitFor(mutex_, std::chrono::nanoseconds(std::min(kLongestWaitNs, next.ns - now)));
  }
  has_leader_ = false;
  if (stopping_) return false;
  if (following_ > 0) {
    followers_.NotifyOne();
  } else if (evaluators_.size() < kEvaluatorsMax) {
    evaluators_.emplace_back([this] { Evaluate(); });
  }
  return true;
}

void RuleRunner::TellNews() {
  for (;;) {
    const int64_t rest_ns = std::min(kLongestWaitNs, kRestsForWork * TellOnce());
    MutexLock lock(mutex_);
    if (evaluated_ && !news_) return;
    if (rest_ns > 0 && !stopping_) rest_.WaitFor(mutex_, std::chrono::nanoseconds(rest_ns));
    if (!news_ && !evaluated_) news_come_.WaitFor(mutex_, std::chrono::nanoseconds(kLongestWaitNs));
    news_ = false;
  }
}

int64_t RuleRunner::TellOnce() {
  const int64_t began_ns = clock_->SteadyNs();
  const query::rules::Snapshot snapshot =
      manager_->Status([this](const auto& owner, const auto& group) { return notices_.Wants(owner, group); });
  std::vector<query::notify::Alert> alerts = notices_.Since(snapshot, model::Timestamp{clock_->NowNs()}.FloorMs());
  // Telling waits for the disk, and costs little.
  const int64_t look_ns = clock_->SteadyNs() - began_ns;
  LookAtStore(&alerts);
  if (!alerts.empty()) tell_(std::move(alerts));
  return look_ns;
}

void RuleRunner::LookAtStore(std::vector<query::notify::Alert>* alerts) {
  const int64_t steady_ns = clock_->SteadyNs();
  if (!refusal_ || steady_ns < next_look_ns_) return;
  next_look_ns_ = steady_ns + kLookNs;
  std::ranges::move(read_only_.At(refusal_(), model::Timestamp{clock_->NowNs()}.FloorMs()),
                    std::back_inserter(*alerts));
}

}  // namespace tidemark::server
