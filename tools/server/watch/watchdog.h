// Watchdog: the dead man's ping. Calls a URL each interval for as long as alerts are evaluated and told of; whoever
// watches the calls from outside says when they stay out, which nobody here can when this server is what has failed.
//
//   Watchdog watchdog(&clock, 60'000'000'000, look, call);
//   watchdog.Start();
//   watchdog.Heard();  // each time that the rule that always fires has come all the way to where people are told
//
// It does not call while that rule has not been heard of for kSilentNs, while what is told cannot be stored, or while a
// receiver or an Alertmanager has not taken what is sent for kFailingNs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "query/rules/rule_status.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"

namespace tidemark::server {

// The alert that always fires, and the rule file with it. Receivers are not told of it.
inline constexpr std::string_view kWatchdogAlert = "TidemarkWatchdog";
std::string_view WatchdogRuleText();
// Why that rule does not do what it should, as of its last evaluation; "": it does.
std::string WatchdogRuleFault(const query::rules::Snapshot& snapshot);

struct WatchdogFacts {
  // Why the rule that always fires cannot be evaluated, or alerts cannot be stored; "": they can.
  std::string fault;
  // Receivers and Alertmanagers, by names of their own, that did not take what was sent last.
  std::vector<std::string> failing;
};

struct WatchdogStats {
  uint64_t calls = 0;    // that were answered well
  uint64_t failed = 0;   // calls that were not
  uint64_t held = 0;     // that were not made
  std::string held_for;  // why the last one was not; "": it was made
};

// Thread-safe.
class Watchdog {
 public:
  // Four intervals of the rule that always fires.
  static constexpr int64_t kSilentNs = 60'000'000'000;
  static constexpr int64_t kFailingNs = 120'000'000'000;

  using Look = std::function<WatchdogFacts()>;
  using Call = std::function<Result<void>(const std::atomic<bool>* stop)>;

  // `clock` outlives it.
  Watchdog(const Clock* clock, int64_t interval_ns, Look look, Call call);
  ~Watchdog() { Stop(); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The rule that always fires has come through.
  void Heard();
  // One interval: calls, or does not. By one thread at a time; not while Start's runs.
  void Round();
  [[nodiscard]] WatchdogStats Stats() const;

  // Rounds on a thread of its own until Stop, which ends a call that runs. Idempotent.
  void Start();
  void Stop();

 private:
  // Why not to call; "" to call.
  std::string Reason();

  const Clock* const clock_;
  const int64_t interval_ns_;
  const Look look_;
  const Call call_;
  const int64_t began_ns_;  // on Clock::SteadyNs, as all times here
  // Of the thread that makes the rounds: since when each fails.
  std::map<std::string, int64_t> failing_since_ns_;
  std::atomic<bool> stop_ = false;
  mutable Mutex mutex_;
  CondVar wake_;
  int64_t heard_ns_ TM_GUARDED_BY(mutex_);
  WatchdogStats stats_ TM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace tidemark::server
