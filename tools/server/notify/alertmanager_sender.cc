#include "tools/server/notify/alertmanager_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/log.h"
#include "tools/server/notify/alertmanager_json.h"
#include "tools/server/notify/delivery.h"
#include "tools/server/notify/outbox.h"

namespace tidemark::server::notify {

using query::notify::Alert;
using query::notify::AlertmanagerTarget;

namespace {

// The machine's clock may be set: no wait is longer than this.
constexpr int64_t kLongestWaitNs = 1'000'000'000;

}  // namespace

AlertmanagerSender::AlertmanagerSender(AlertmanagerTarget target, const Clock* clock)
    : target_(std::move(target)), clock_(clock), book_(target_.resend_delay_ns) {
  {
    MutexLock lock(mutex_);
    stats_.url = target_.url;
  }
  thread_ = std::jthread([this] { Run(); });
}

void AlertmanagerSender::Put(const std::vector<Alert>& alerts) {
  MutexLock lock(mutex_);
  book_.Put(alerts, clock_->NowNs());
  wake_.NotifyAll();
}

SenderStats AlertmanagerSender::Stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

void AlertmanagerSender::Stop() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void AlertmanagerSender::Run() {
  const DeliveryOptions options{.external_url = {},
                                .timeout_ms = target_.timeout_ns / 1'000'000,
                                .connect_timeout_ms = target_.timeout_ns / 1'000'000};
  int failures = 0;
  int64_t not_before_ns = 0;  // on Clock::SteadyNs
  while (!stop_) {
    std::vector<Alert> due;
    {
      MutexLock lock(mutex_);
      const int64_t now_ns = clock_->NowNs();
      const int64_t rest_ns = not_before_ns - clock_->SteadyNs();
      if (rest_ns <= 0) due = book_.Due(now_ns);
      if (due.empty()) {
        const int64_t wait_ns = std::max(rest_ns, book_.NextDueNs() - now_ns);
        wake_.WaitFor(mutex_, std::chrono::nanoseconds(std::clamp<int64_t>(wait_ns, 1'000'000, kLongestWaitNs)));
        continue;
      }
    }
    const DeliveryOutcome outcome =
        PostJson(target_.url + "/api/v2/alerts", target_.http, PostableAlertsJson(due), {}, options, stop_);
    if (stop_) return;
    MutexLock lock(mutex_);
    if (outcome.kind == DeliveryOutcome::Kind::kDelivered) {
      book_.Sent(due, clock_->NowNs());
      stats_.sent += due.size();
      stats_.failing = false;
      failures = 0;
      continue;
    }
    // A refusal too is tried again: what is sent is what holds then, and it may be the other side that was wrong.
    ++stats_.failed;
    stats_.failing = true;
    not_before_ns = clock_->SteadyNs() + std::max(BackoffNs(++failures), outcome.retry_after_ns);
    if (stats_.last_error != outcome.reason || failures == 1) {
      TM_LOG(kWarn, "{} alerts have not reached the Alertmanager {}: {}; they are sent again", due.size(), target_.url,
             outcome.reason);
    }
    stats_.last_error = outcome.reason;
  }
}

void AlertmanagerSenders::SetTargets(const std::vector<AlertmanagerTarget>& targets) {
  std::vector<std::unique_ptr<AlertmanagerSender>> gone;
  {
    MutexLock lock(mutex_);
    gone = std::exchange(senders_, {});
    for (const AlertmanagerTarget& target : targets) {
      const auto same = std::ranges::find_if(gone, [&](const auto& old) { return old && old->target() == target; });
      senders_.push_back(same != gone.end() ? std::move(*same) : std::make_unique<AlertmanagerSender>(target, clock_));
    }
  }
  std::erase(gone, nullptr);  // the others end here, outside of the lock
}

void AlertmanagerSenders::Put(const std::vector<Alert>& alerts) {
  MutexLock lock(mutex_);
  for (const auto& sender : senders_) sender->Put(alerts);
}

std::vector<SenderStats> AlertmanagerSenders::Stats() const {
  MutexLock lock(mutex_);
  std::vector<SenderStats> stats;
  for (const auto& sender : senders_) stats.push_back(sender->Stats());
  return stats;
}

}  // namespace tidemark::server::notify
