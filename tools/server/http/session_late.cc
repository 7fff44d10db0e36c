// How a session answers at a deadline whose handler has not answered: the leader does, whatever the handler's thread is
// at.
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "storage/base/clock.h"
#include "storage/base/lent_thread.h"
#include "tools/server/http/session.h"

namespace tidemark::http {

namespace asio = boost::asio;
using boost::system::error_code;

// Gives the session back to the leader of its loop, with an answer.
void Session::HandBack(Response response) {
  if (answered_.exchange(true)) {
    asio::post(loop_->context(), [self = shared_from_this()] { self->HandlerEnded(); });
    return;
  }
  if (response.produce) {
    asio::post(loop_->context(), [self = shared_from_this(), response = std::move(response)]() mutable {
      self->HandlerEnded();
      if (self->phase_ == Phase::kWork) self->Reply(std::move(response));
    });
    return;
  }
  Outgoing out = Compose(std::move(response));
  // Before the client hears of it: the next request finds the room that this one had. Only this thread has the request
  // while the handler runs.
  ReleaseBody();
  SendNow(&out);
  asio::post(loop_->context(), [self = shared_from_this(), out = std::move(out)]() mutable {
    self->HandlerEnded();
    if (self->phase_ == Phase::kWork) self->Write(std::move(out));
  });
}

// Whoever answers many at once has other work than sending: the loops do that meanwhile.
void Session::HandBackLater(Response response) {
  if (answered_.exchange(true)) return HandBack(std::move(response));
  asio::post(loop_->context(), [self = shared_from_this(), response = std::move(response)]() mutable {
    self->HandlerEnded();
    // Before the client hears of it, as in HandBack.
    self->ReleaseBody();
    if (self->phase_ == Phase::kWork) self->Reply(std::move(response));
  });
}

void Session::HandlerEnded() {
  handler_runs_ = false;
  ForgetLateAnswer();
}

void Session::ForgetLateAnswer() {
  late_timer_.reset();
  MutexLock lock(late_mutex_);
  late_at_ns_ = 0;
  late_.reset();
}

void Session::AnswerAt(int64_t deadline_ns, Response response) {
  shared_->application->Complete(request_, &response);
  {
    MutexLock lock(late_mutex_);
    late_at_ns_ = deadline_ns + std::chrono::nanoseconds(kLateAnswerGrace).count();
    late_ = std::move(response);
  }
  // While the leader itself handles the request, whoever takes the lead arms it: most are answered before that.
  if (ThisThreadIsLent()) return;
  asio::post(loop_->context(), [weak = weak_from_this()] {
    if (const std::shared_ptr<Session> self = weak.lock()) self->ArmLateAnswer();
  });
}

void Session::ArmLateAnswer() {
  if (phase_ != Phase::kWork || !handler_runs_) return;
  int64_t at_ns = 0;
  {
    MutexLock lock(late_mutex_);
    at_ns = late_at_ns_;
  }
  if (at_ns == 0 || late_timer_) return;
  late_timer_ = std::make_unique<asio::steady_timer>(
      loop_->context(), std::chrono::steady_clock::time_point(std::chrono::nanoseconds(at_ns)));
  late_timer_->async_wait([weak = weak_from_this()](const error_code& error) {
    if (error) return;
    if (const std::shared_ptr<Session> self = weak.lock()) self->SendLateAnswer();
  });
}

// The handler goes on with request_: nothing here may change it, and no other request can follow on this connection.
void Session::SendLateAnswer() {
  if (phase_ != Phase::kWork || !handler_runs_) return;
  std::optional<Response> late;
  {
    // A timer that was due is not called back by what came after it.
    MutexLock lock(late_mutex_);
    if (SystemClock::Get().SteadyNs() < late_at_ns_) return;
    late.swap(late_);
  }
  if (!late || answered_.exchange(true)) return;
  stop_.request_stop();
  shared_->counters.late_answers.fetch_add(1, std::memory_order_relaxed);
  late->close = true;
  Reply(std::move(*late));
}

}  // namespace tidemark::http
