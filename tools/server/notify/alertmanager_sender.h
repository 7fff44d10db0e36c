// AlertmanagerSenders: tells other Alertmanagers of our rules' alerts, each by a thread of its own, so that one that is
// dead or slow delays no other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "query/notify/config.h"
#include "query/notify/resend.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"

namespace tidemark::server::notify {

// Of one Alertmanager, since it was configured.
struct SenderStats {
  std::string url;
  uint64_t sent = 0;    // alerts that have arrived
  uint64_t failed = 0;  // messages that have not
  std::string last_error;
  bool failing = false;  // the last message has not arrived
};

// One Alertmanager. Thread-safe.
class AlertmanagerSender {
 public:
  AlertmanagerSender(query::notify::AlertmanagerTarget target, const Clock* clock);
  ~AlertmanagerSender() { Stop(); }
  AlertmanagerSender(const AlertmanagerSender&) = delete;
  AlertmanagerSender& operator=(const AlertmanagerSender&) = delete;

  void Put(const std::vector<query::notify::Alert>& alerts);
  [[nodiscard]] const query::notify::AlertmanagerTarget& target() const { return target_; }
  [[nodiscard]] SenderStats Stats() const;
  // Ends an attempt that runs. Idempotent.
  void Stop();

 private:
  void Run();

  const query::notify::AlertmanagerTarget target_;
  const Clock* const clock_;
  std::atomic<bool> stop_ = false;
  mutable Mutex mutex_;
  CondVar wake_;
  query::notify::ResendBook book_ TM_GUARDED_BY(mutex_);
  SenderStats stats_ TM_GUARDED_BY(mutex_);
  std::jthread thread_;
};

// All of them. Thread-safe.
class AlertmanagerSenders {
 public:
  // Outlives them.
  explicit AlertmanagerSenders(const Clock* clock) : clock_(clock) {}

  // Those that are as they were go on; a new one hears of an alert when that is told of next.
  void SetTargets(const std::vector<query::notify::AlertmanagerTarget>& targets);
  void Put(const std::vector<query::notify::Alert>& alerts);
  [[nodiscard]] std::vector<SenderStats> Stats() const;
  void Stop() { SetTargets({}); }

 private:
  const Clock* const clock_;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<AlertmanagerSender>> senders_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::notify
