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

}  // namespace

RuleRunner::RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Refusal refusal,
                       Tell tell)
    : manager_(manager),
      clock_(clock),
      refusal_(std::move(refusal)),
      tell_(std::move(tell)),
      notices_(std::move(external_url)),
      thread_([this] { Run(); }) {}

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
    LookAtStore(&alerts);
    if (!alerts.empty()) tell_(std::move(alerts));
    MutexLock lock(mutex_);
    const int64_t now = clock_->NowNs();
    const int64_t wait = next.ns <= now ? 0 : std::min(kLongestWaitNs, next.ns - now);
    if (!stopping_ && wait > 0) wake_.WaitFor(mutex_, std::chrono::nanoseconds(wait));
    if (stopping_) return;
  }
}

void RuleRunner::LookAtStore(std::vector<query::notify::Alert>* alerts) {
  const int64_t steady_ns = clock_->SteadyNs();
  if (!refusal_ || steady_ns < next_look_ns_) return;
  next_look_ns_ = steady_ns + kLookNs;
  std::ranges::move(read_only_.At(refusal_(), model::Timestamp{clock_->NowNs()}.FloorMs()),
                    std::back_inserter(*alerts));
}

}  // namespace tidemark::server
