#include "tools/server/watch/rule_runner.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tidemark::server {
namespace {

// The machine's clock may be set: no wait is longer than this.
constexpr int64_t kLongestWaitNs = 1'000'000'000;

}  // namespace

RuleRunner::RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Tell tell)
    : manager_(manager), clock_(clock), tell_(std::move(tell)), notices_(std::move(external_url)), thread_([this] {
        Run();
      }) {}

void RuleRunner::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void RuleRunner::Run() {
  for (;;) {
    const model::Timestamp next = manager_->RunDue();
    std::vector<query::notify::Alert> alerts =
        notices_.Since(manager_->Status(), model::Timestamp{clock_->NowNs()}.FloorMs());
    if (!alerts.empty()) tell_(std::move(alerts));
    MutexLock lock(mutex_);
    const int64_t now = clock_->NowNs();
    const int64_t wait = next.ns <= now ? 0 : std::min(kLongestWaitNs, next.ns - now);
    if (!stopping_ && wait > 0) wake_.WaitFor(mutex_, std::chrono::nanoseconds(wait));
    if (stopping_) return;
  }
}

}  // namespace tidemark::server
