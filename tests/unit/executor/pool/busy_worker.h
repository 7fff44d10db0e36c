// BusyWorker: a task that keeps a worker of a pool busy until it is let go. It may go before the pool does.
#pragma once

#include <latch>
#include <memory>

#include "executor/pool/thread_pool.h"

namespace tidemark::executor {

class BusyWorker {
 public:
  // Returns once a worker is in it.
  explicit BusyWorker(ThreadPool& pool, TaskKind kind = TaskKind::kQuery) {
    pool.Submit(kind, [state = state_] {
      state->entered.count_down();
      state->open.wait();
    });
    state_->entered.wait();
  }
  void LetGo() { state_->open.count_down(); }

 private:
  // Of the task too: it may still be on its way out of wait() when this object goes.
  struct State {
    std::latch entered{1};
    std::latch open{1};
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace tidemark::executor
