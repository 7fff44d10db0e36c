// SessionStream: the queue between a producer of a streamed reply, on any thread, and the session that sends it.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "storage/base/mutex.h"
#include "tools/server/http/message.h"

namespace tidemark::http {

class Session;
class IoLoop;

// Thread-safe.
class SessionStream : public ReplyStream {
 public:
  // `loop` outlives the stream.
  SessionStream(IoLoop* loop, std::weak_ptr<Session> session) : loop_(loop), session_(std::move(session)) {}

  bool Push(std::string bytes) override;
  bool TryPush(std::string bytes) override;
  void Finish() override;
  [[nodiscard]] bool closed() const override;

  // For the session. Takes everything queued; `finished` tells whether nothing more will come.
  std::string Take(bool* finished);
  // For the session when the client is gone.
  void Abandon();

 private:
  bool Queue(std::string bytes) TM_REQUIRES(mutex_);
  void Wake() TM_REQUIRES(mutex_);

  IoLoop* const loop_;
  const std::weak_ptr<Session> session_;
  mutable Mutex mutex_;
  CondVar room_;
  std::deque<std::string> queue_ TM_GUARDED_BY(mutex_);
  size_t queued_bytes_ TM_GUARDED_BY(mutex_) = 0;
  bool closed_ TM_GUARDED_BY(mutex_) = false;
  bool abandoned_ TM_GUARDED_BY(mutex_) = false;
  bool wake_posted_ TM_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::http
