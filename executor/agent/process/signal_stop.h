// SignalStop: turns Ctrl-C and SIGTERM into a stop token, for programs that run pipelines.
#pragma once

#include <signal.h>

#include <atomic>
#include <memory>
#include <stop_token>
#include <thread>

#include "executor/agent/process/unique_fd.h"
#include "storage/base/result.h"

namespace tidemark::executor {

// Make one on the main thread before any other thread is started: it blocks the two signals, and threads inherit
// that. The destructor unblocks them on its own thread. One at a time.
class SignalStop {
 public:
  static Result<std::unique_ptr<SignalStop>> Make();
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }
  // The signal that came, or 0.
  [[nodiscard]] int signal() const { return signal_.load(); }

 private:
  SignalStop() = default;

  sigset_t previous_mask_{};
  UniqueFd signals_, quit_;
  std::stop_source source_;
  std::atomic<int> signal_{0};
  std::thread watcher_;
};

}  // namespace tidemark::executor
