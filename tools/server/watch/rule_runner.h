// RuleRunner: the thread that lets the rules run when they are due, and has people told of what came of it. The work
// itself is on the scheduler.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "query/rules/manager.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tools/server/watch/read_only_notice.h"
#include "tools/server/watch/rule_notices.h"

namespace tidemark::server {

class RuleRunner {
 public:
  // What is done with the alerts that fire and those that have ended, after each evaluation.
  using Tell = std::function<void(std::vector<query::notify::Alert> alerts)>;
  // Why the store refuses writes, "" while it takes them.
  using Refusal = std::function<std::string()>;
  // Both outlive it. Runs from construction to Stop (or destruction). `external_url`: as of RuleNotices. `refusal`:
  // people are told of that too; null: they are not.
  RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Refusal refusal, Tell tell);
  ~RuleRunner() { Stop(); }
  RuleRunner(const RuleRunner&) = delete;
  RuleRunner& operator=(const RuleRunner&) = delete;
  // Lets an evaluation that runs finish. Idempotent.
  void Stop();

 private:
  void Run();
  // Every few seconds.
  void LookAtStore(std::vector<query::notify::Alert>* alerts);

  query::rules::Manager* const manager_;
  const Clock* const clock_;
  const Refusal refusal_;
  const Tell tell_;
  // Of the thread.
  RuleNotices notices_;
  ReadOnlyNotice read_only_;
  int64_t next_look_ns_ = 0;  // on Clock::SteadyNs
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace tidemark::server
