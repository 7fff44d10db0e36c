#include "tools/server/watch/watchdog.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/log.h"
#include "tools/server/watch/self_alerts.h"

namespace tidemark::server {
namespace {

// What it writes proves that the store takes what rules say.
constexpr std::string_view kText = R"(groups:
  - name: watchdog
    interval: 15s
    database: _server
    into: _server
    rules:
      - alert: TidemarkWatchdog
        expr: vector(1)
)";

constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

std::string_view WatchdogRuleText() { return kText; }

std::string WatchdogRuleFault(const query::rules::Snapshot& snapshot) {
  for (const query::rules::GroupStatus& group : snapshot.groups) {
    for (const query::rules::RuleStatus& rule : group.rules) {
      if (group.group->file != kSelfAlertsFile || rule.rule->name != kWatchdogAlert) continue;
      if (rule.last_error.empty()) return {};
      return "the rule that always fires cannot be evaluated: " + rule.last_error;
    }
  }
  return "the rule that always fires is not in force";
}

Watchdog::Watchdog(const Clock* clock, int64_t interval_ns, Look look, Call call)
    : clock_(clock),
      interval_ns_(interval_ns),
      look_(std::move(look)),
      call_(std::move(call)),
      began_ns_(clock->SteadyNs()),
      heard_ns_(began_ns_ - kSilentNs) {}

void Watchdog::Heard() {
  MutexLock lock(mutex_);
  heard_ns_ = clock_->SteadyNs();
}

std::string Watchdog::Reason() {
  const int64_t now_ns = clock_->SteadyNs();
  const WatchdogFacts facts = look_();
  std::map<std::string, int64_t> failing;
  for (const std::string& name : facts.failing) {
    const auto before = failing_since_ns_.find(name);
    failing[name] = before == failing_since_ns_.end() ? now_ns : before->second;
  }
  failing_since_ns_ = std::move(failing);
  if (!facts.fault.empty()) return facts.fault;
  int64_t heard_ns = 0;
  {
    MutexLock lock(mutex_);
    heard_ns = heard_ns_;
  }
  if (now_ns - heard_ns >= kSilentNs) {
    return fmt::format("the rule that always fires has not been heard of for {} s",
                       (now_ns - std::max(heard_ns, began_ns_)) / kSecondNs);
  }
  for (const auto& [name, since_ns] : failing_since_ns_) {
    if (now_ns - since_ns >= kFailingNs) {
      return fmt::format("{} has not taken what is sent for {} s", name, (now_ns - since_ns) / kSecondNs);
    }
  }
  return {};
}

void Watchdog::Round() {
  std::string reason = Reason();
  const bool calls = reason.empty();
  const Result<void> done = calls ? call_(&stop_) : Result<void>();
  if (stop_) return;
  MutexLock lock(mutex_);
  if (!calls) {
    if (stats_.held_for.empty()) TM_LOG(kError, "the watchdog does not call its URL: {}", reason);
    ++stats_.held;
  } else if (!done.ok()) {
    // The URL may hold a secret.
    TM_LOG(kWarn, "the watchdog's call failed: {}", done.error().message);
    ++stats_.failed;
  } else {
    ++stats_.calls;
  }
  if (calls && !stats_.held_for.empty()) TM_LOG(kInfo, "the watchdog calls its URL again");
  stats_.held_for = std::move(reason);
}

WatchdogStats Watchdog::Stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

void Watchdog::Start() {
  thread_ = std::jthread([this] {
    for (;;) {
      // The first after an interval: by then the rule has been evaluated.
      {
        MutexLock lock(mutex_);
        const int64_t due_ns = clock_->SteadyNs() + interval_ns_;
        while (!stop_ && clock_->SteadyNs() < due_ns) {
          wake_.WaitFor(mutex_, std::chrono::nanoseconds(std::min(due_ns - clock_->SteadyNs(), kSecondNs)));
        }
      }
      if (stop_) return;
      Round();
    }
  });
}

void Watchdog::Stop() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace tidemark::server
