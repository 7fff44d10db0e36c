#include "tools/server/http/io_loop.h"

#include <thread>
#include <utility>

#include "tools/server/http/session.h"

namespace tidemark::http {
namespace {

// Set on a thread that has given away the loop that it leads, until it notices.
thread_local bool lead_was_taken = false;

}  // namespace

void IoLoop::Start() {
  // The threads of the set may not have begun to wait yet.
  while (!workers_->TryReserve()) std::this_thread::yield();
  workers_->SubmitReserved([this] { Lead(); });
}

void IoLoop::Lead() {
  while (!lead_was_taken && context_.run_one() != 0) {
  }
  lead_was_taken = false;
}

void IoLoop::Insert(Session* session) {
  MutexLock lock(mutex_);
  sessions_.insert(session);
}

void IoLoop::Erase(Session* session) {
  MutexLock lock(mutex_);
  sessions_.erase(session);
}

std::vector<std::shared_ptr<Session>> IoLoop::Sessions() {
  std::vector<std::shared_ptr<Session>> sessions;
  MutexLock lock(mutex_);
  sessions.reserve(sessions_.size());
  for (Session* const session : sessions_) {
    if (std::shared_ptr<Session> alive = session->weak_from_this().lock()) sessions.push_back(std::move(alive));
  }
  return sessions;
}

IoLoop::Loan::~Loan() {
  if (reserved_ && !taken_back_) loop_->workers_->CancelReservation();
}

void IoLoop::Loan::TakeBack() {
  taken_back_ = true;
  lead_was_taken = true;
  loop_->workers_->SubmitReserved([loop = loop_, first = std::move(first_)]() mutable {
    first();
    loop->Lead();
  });
}

}  // namespace tidemark::http
