#include "tools/server/http/session_stream.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "tools/server/http/session.h"

namespace tidemark::http {

bool SessionStream::Push(std::string bytes) {
  MutexLock lock(mutex_);
  while (!closed_ && queued_bytes_ != 0 && queued_bytes_ + bytes.size() > kMaxQueuedBytes) room_.Wait(mutex_);
  return Queue(std::move(bytes));
}

bool SessionStream::TryPush(std::string bytes) {
  MutexLock lock(mutex_);
  if (queued_bytes_ != 0 && queued_bytes_ + bytes.size() > kMaxQueuedBytes) return false;
  return Queue(std::move(bytes));
}

void SessionStream::Finish() {
  MutexLock lock(mutex_);
  if (closed_) return;
  closed_ = true;
  room_.NotifyAll();
  Wake();
}

bool SessionStream::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

std::string SessionStream::Take(bool* finished) {
  MutexLock lock(mutex_);
  std::string all;
  if (queue_.size() == 1) {
    all = std::move(queue_.front());
  } else {
    all.reserve(queued_bytes_);
    for (const std::string& bytes : queue_) all += bytes;
  }
  queue_.clear();
  queued_bytes_ = 0;
  wake_posted_ = false;
  *finished = closed_;
  room_.NotifyAll();
  return all;
}

void SessionStream::Abandon() {
  MutexLock lock(mutex_);
  closed_ = true;
  abandoned_ = true;
  queue_.clear();
  queued_bytes_ = 0;
  room_.NotifyAll();
}

bool SessionStream::Queue(std::string bytes) {
  if (closed_) return false;
  if (bytes.empty()) return true;
  queued_bytes_ += bytes.size();
  queue_.push_back(std::move(bytes));
  Wake();
  return true;
}

void SessionStream::Wake() {
  if (wake_posted_ || abandoned_) return;
  wake_posted_ = true;
  boost::asio::post(loop_->context(), [weak = session_] {
    if (const std::shared_ptr<Session> session = weak.lock()) session->StreamReady();
  });
}

}  // namespace tidemark::http
