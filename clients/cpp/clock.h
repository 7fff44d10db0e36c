// Clock: where the time comes from, and how to wait for it. Handed in, so that tests decide what time it is.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <limits>
#include <mutex>

namespace tidemark::client {

// Thread-safe. Times are nanoseconds.
class Clock {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  virtual ~Clock() = default;
  // Since 1970-01-01T00:00:00Z. May jump.
  [[nodiscard]] virtual int64_t NowNs() const = 0;
  // Since an arbitrary start. Never goes back.
  [[nodiscard]] virtual int64_t SteadyNs() const = 0;
  // Waits until `changed` is notified or SteadyNs() reaches `steady_ns`. May return sooner: callers look again.
  virtual void Wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, int64_t steady_ns) = 0;
};

// The machine's clock. One instance serves the whole process.
Clock& SystemClock();

}  // namespace tidemark::client
