// Outbox: the messages that are on their way, in a lane for each way of each receiver, and the threads that send them.
//
// A lane sends one message at a time while its receiver does not answer, up to kLaneMax while it does, in the order in
// which they came. After a failure the lane waits: half a second, then half as long again each time, at most a minute,
// or as long as the receiver asks. Lanes do not wait for each other: a thread is added when all are busy.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tools/server/notify/delivery.h"

namespace tidemark::server::notify {

// How long a lane waits after `failures` failures in a row, at least one. Nanoseconds.
int64_t BackoffNs(int failures);

// Of one lane, since the start.
struct LaneStats {
  std::string receiver;
  size_t integration = 0;
  uint64_t delivered = 0;
  uint64_t failed = 0;   // attempts
  uint64_t refused = 0;  // messages that the receiver will never take
  size_t waiting = 0;
  std::string last_error;
  int64_t last_error_ns = 0;
  int failures = 0;  // in a row, now
};

// Thread-safe.
class Outbox {
 public:
  static constexpr int kLaneMax = 4;
  static constexpr size_t kThreadsMax = 64;

  // Makes one attempt for the message of this id, and says what became of it; nothing when there is no such message any
  // more. On a thread of the outbox.
  using Attempt = std::function<std::optional<DeliveryOutcome>(const std::string& id)>;
  // What became of an attempt. Whether the message, which did not arrive, is to be tried again.
  using Ended = std::function<bool(const std::string& id, const DeliveryOutcome& outcome)>;

  // `clock` outlives it.
  Outbox(const Clock* clock, Attempt attempt, Ended ended)
      : clock_(clock), attempt_(std::move(attempt)), ended_(std::move(ended)) {}
  ~Outbox() { Stop(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void Add(const query::notify::Channel& channel, std::string id);
  // Lets attempts that run come to their end; who makes them is told by `stopping`. Idempotent.
  void Stop();
  [[nodiscard]] const std::atomic<bool>& stopping() const { return stopping_; }
  [[nodiscard]] std::vector<LaneStats> Stats() const;

 private:
  struct Lane {
    std::deque<std::string> waiting;
    int running = 0;
    int64_t not_before_ns = 0;  // of the steady clock
    LaneStats stats;
  };
  void Work();
  // The lane that may send now; null with the time to wait in `wait_ns`.
  Lane* Ready(int64_t* wait_ns) TM_REQUIRES(mutex_);
  void Note(Lane* lane, const std::string& id, const std::optional<DeliveryOutcome>& outcome, bool again)
      TM_REQUIRES(mutex_);

  const Clock* const clock_;
  const Attempt attempt_;
  const Ended ended_;
  std::atomic<bool> stopping_ = false;
  mutable Mutex mutex_;
  CondVar wake_;
  // Never erased, so that pointers stay: as many as the configuration has had.
  std::map<std::pair<std::string, size_t>, Lane> lanes_ TM_GUARDED_BY(mutex_);
  size_t idle_ TM_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> threads_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::notify
