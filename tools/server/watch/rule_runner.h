// RuleRunner: the threads that evaluate rules when they are due, and one that has people told of what came of it. A
// group has a thread of its own while it is evaluated, so that one that takes long delays no other; the work of its
// queries is on the scheduler, as that of all queries. There is one thread more than groups that are evaluated at once.
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
  // So many groups that take long delay no other one.
  static constexpr size_t kEvaluatorsMax = 32;

  // What is done with the alerts that fire and those that have ended, after each evaluation.
  using Tell = std::function<void(std::vector<query::notify::Alert> alerts)>;
  // Why the store refuses writes, "" while it takes them.
  using Refusal = std::function<std::string()>;
  // Both outlive it. Runs from construction to Stop (or destruction). `external_url`: as of RuleNotices. `refusal`:
  // people are told of that too; null: they are not. `before`: what they were told before a restart.
  RuleRunner(query::rules::Manager* manager, const Clock* clock, std::string external_url, Refusal refusal, Tell tell,
             std::vector<RuleNotices::Before> before = {});
  ~RuleRunner() { Stop(); }
  RuleRunner(const RuleRunner&) = delete;
  RuleRunner& operator=(const RuleRunner&) = delete;
  // Lets an evaluation that runs finish. Idempotent.
  void Stop();

 private:
  // Of a thread that evaluates: one at a time waits until something is due, and lets another one wait before it begins.
  void Evaluate();
  // Waits until something is due. False: it is time to stop.
  bool WaitUntilDue();
  // Of the thread that tells.
  void TellNews();
  // How long it has looked, in nanoseconds.
  int64_t TellOnce();
  // Every few seconds.
  void LookAtStore(std::vector<query::notify::Alert>* alerts);

  query::rules::Manager* const manager_;
  const Clock* const clock_;
  const Refusal refusal_;
  const Tell tell_;
  // Of the thread that tells.
  RuleNotices notices_;
  ReadOnlyNotice read_only_;
  int64_t next_look_ns_ = 0;  // on Clock::SteadyNs
  Mutex mutex_;
  CondVar due_;        // of the one that waits until something is due
  CondVar followers_;  // of those that wait for its place
  CondVar news_come_;
  CondVar rest_;  // of the one that tells
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  bool evaluated_ TM_GUARDED_BY(mutex_) = false;  // and nothing will be any more
  bool has_leader_ TM_GUARDED_BY(mutex_) = false;
  size_t following_ TM_GUARDED_BY(mutex_) = 0;
  bool news_ TM_GUARDED_BY(mutex_) = false;  // something has been evaluated since it was told of
  // Only Stop ends them.
  std::vector<std::jthread> evaluators_ TM_GUARDED_BY(mutex_);
  std::jthread teller_;
};

}  // namespace tidemark::server
