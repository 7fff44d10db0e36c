// RuleRunner: the thread that lets the rules run when they are due. The work itself is on the scheduler.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "query/rules/manager.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tools/server/watch/rule_notices.h"

namespace tidemark::server {

class RuleRunner {
 public:
  // What is done with the alerts that fire and those that have ended, after each evaluation.
  using Tell = std::function<void(std::vector<query::notify::Alert> alerts)>;
  // Both outlive it. Runs from construction to Stop (or destruction). `external_url`: as of RuleNotices.
  RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Tell tell);
  ~RuleRunner() { Stop(); }
  RuleRunner(const RuleRunner&) = delete;
  RuleRunner& operator=(const RuleRunner&) = delete;
  // Lets an evaluation that runs finish. Idempotent.
  void Stop();

 private:
  void Run();

  query::rules::Manager* const manager_;
  const Clock* const clock_;
  const Tell tell_;
  RuleNotices notices_;  // of the thread
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace tidemark::server
