// Restarter: whether this process is to go on as a new program, and whether that would start. Whoever wants a restart
// asks here; the thread that waits for signals hears of it by SIGUSR2 and does it.
//
//   Restarter restarter(program, handover.restarts);
//   TM_RETURN_IF_ERROR(restarter.Ask(beside, stop));    // a request, on its thread
//   ... on SIGUSR2 ...
//   if (restarter.TakeWanted()) Restart(); else restarter.AskBehind(beside);
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "tools/server/lifecycle/start_facts.h"
#include "tools/service/handover.h"

namespace tidemark::server {

// How long the program may take to say whether it would start.
inline constexpr int64_t kStartCheckNs = 30'000'000'000;

// Thread-safe.
class Restarter {
 public:
  // What is known of the restarts of this process so far.
  struct Past {
    uint64_t restarts = 0;
    int64_t pause_ns = 0;   // of the last one: nobody was accepted for so long; 0: there was none
    std::string refusal{};  // why the last one that was asked for did not come about; "" when it did
  };

  explicit Restarter(service::Program program) : program_(std::move(program)) {}

  [[nodiscard]] const service::Program& program() const { return program_; }

  // Runs the program to see whether it would start (`--check`), and has the waiting thread go then. kConflict: a
  // restart is under way; kInvalidArgument: it would not start, and why, or it is no program
  // that can tell; kTimeout; kCancelled.
  Status Ask(const StartFacts& facts, const std::stop_token& stop) TM_EXCLUDES(mutex_);
  // The same on a thread of its own, that of this object; a refusal goes to the log.
  void AskBehind(StartFacts facts) TM_EXCLUDES(mutex_);
  // Whether a restart was asked for, and nothing stands against it. From then on one is under way, until Failed.
  bool TakeWanted() TM_EXCLUDES(mutex_);
  // It did not come about.
  void Failed(const Error& why) TM_EXCLUDES(mutex_);

  void SetPast(Past past) TM_EXCLUDES(mutex_);
  [[nodiscard]] Past past() const TM_EXCLUDES(mutex_);

 private:
  enum class State : uint8_t { kNone, kChecking, kWanted, kTaken };
  Status Check(StartFacts facts, const std::stop_token& stop) const;

  const service::Program program_;
  mutable Mutex mutex_;
  State state_ TM_GUARDED_BY(mutex_) = State::kNone;
  Past past_ TM_GUARDED_BY(mutex_);
  std::jthread behind_;  // of AskBehind, which one thread calls
};

}  // namespace tidemark::server
