// What becomes of a session when its server goes: every request whose bytes have come is answered, and the connection
// ends, or is set aside for the server that follows, while nothing of a request is under way.
#include <utility>

#include "storage/base/clock.h"
#include "tools/server/http/session.h"
#include "tools/server/http/session_stream.h"

namespace tidemark::http {

void Session::BeginDrain() {
  switch (phase_) {
    case Phase::kIdle: static_cast<void>(EndIdle(true)); return;
    case Phase::kHandshake:
      if (!shared_->keeps.load(std::memory_order_relaxed)) return Close();
      Enter(Phase::kHandshake, kFirstRequestTime);
      return;
    case Phase::kStream:
      if (stream_ && stream_ends_at_drain_) stream_->Finish();
      return;
    default: return;  // the reply says that it is the last
  }
}

void Session::EndIdleTls() {
  if (phase_ == Phase::kIdle && transport_.encrypted() && !IsFresh() && !transport_.HasInput()) Part();
}

bool Session::IsFresh() const {
  const int64_t since_ns = SystemClock::Get().SteadyNs() - idle_since_ns_;
  return since_ns < std::chrono::nanoseconds(kFirstRequestTime).count();
}

bool Session::EndIdle(bool reads) {
  if (transport_.HasInput()) return false;
  if (!shared_->keeps.load(std::memory_order_relaxed)) {
    Close();
    return true;
  }
  // The request that it was for is on its way.
  if (phase_ == Phase::kHandshake) return false;
  if (reads && transport_.encrypted() && IsFresh()) {
    Enter(Phase::kIdle, kFirstRequestTime);
    return false;
  }
  if (reads) {
    Part();
  } else {
    Parted();
  }
  return true;
}

void Session::Part() {
  Enter(Phase::kParting, kFirstRequestTime);
  transport_.Cancel();
}

void Session::Parted() {
  // The keys of TLS are this process' own. What is on its way meanwhile is read, lest a reset answer it.
  if (transport_.encrypted()) return Linger();
  phase_ = Phase::kClosed;
  const int descriptor = transport_.Release();
  if (descriptor < 0) return;
  MutexLock lock(shared_->mutex);
  shared_->kept.push_back(descriptor);
}

bool Session::ReplyIsLast() {
  const bool goes = shared_->draining.load(std::memory_order_relaxed) ||
                    (transport_.encrypted() && shared_->last_replies.load(std::memory_order_relaxed));
  // What the client has sent behind this request is answered first.
  return goes && in_begin_ == in_end_ && !transport_.HasInput();
}

}  // namespace tidemark::http
