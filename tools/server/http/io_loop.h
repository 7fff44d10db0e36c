// IoLoop: an event loop and its connections. Internal to the HTTP server.
//
// One thread at a time leads it: waits for sockets and runs their handlers. The leader answers short queries itself;
// when one turns out to be long, another thread takes the lead and the first one finishes the query as a worker (the
// leader/followers pattern: Schmidt et al., Pattern-Oriented Software Architecture, volume 2).
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "storage/base/lent_thread.h"
#include "storage/base/mutex.h"
#include "tools/server/http/worker_set.h"

namespace tidemark::http {

class Session;

// Thread-safe.
class IoLoop {
 public:
  // `workers` outlives the loop.
  explicit IoLoop(WorkerSet* workers) : workers_(workers) {}

  [[nodiscard]] boost::asio::io_context& context() { return context_; }

  // Lets a worker lead, until the context stops or another one takes over. Waits for one that is free.
  void Start();

  void Insert(Session* session);
  void Erase(Session* session);
  // Those that are not about to end.
  [[nodiscard]] std::vector<std::shared_ptr<Session>> Sessions();

  // The leader's work for one request.
  class Loan : public LentThread {
   public:
    // `first` is what another leader does before anything else.
    Loan(IoLoop* loop, std::move_only_function<void()> first)
        : loop_(loop), first_(std::move(first)), reserved_(loop->workers_->TryReserve()) {}
    ~Loan() override;
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    // Whether somebody stands by who can take the lead; without, the leader must not take the work.
    [[nodiscard]] bool granted() const { return reserved_; }
    // Whether another thread leads the loop now.
    [[nodiscard]] bool taken_back() const { return taken_back_; }
    void TakeBack() override;

   private:
    IoLoop* const loop_;
    std::move_only_function<void()> first_;
    const bool reserved_;
    bool taken_back_ = false;
  };

 private:
  void Lead();

  WorkerSet* const workers_;
  Mutex mutex_;
  std::unordered_set<Session*> sessions_ TM_GUARDED_BY(mutex_);  // before context_, whose handlers hold sessions
  boost::asio::io_context context_;
};

}  // namespace tidemark::http
