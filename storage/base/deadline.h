// Deadline: the time by which work is to have ended; it may be set, or set sooner, while the work is under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "storage/base/clock.h"

namespace tidemark {

// Thread-safe.
class Deadline {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // None yet. `clock` outlives it.
  explicit Deadline(const Clock& clock) : clock_(clock) {}

  // `at_ns`: on Clock::SteadyNs.
  void Set(int64_t at_ns) { at_ns_.store(at_ns, std::memory_order_relaxed); }
  // Looks at the clock only where a deadline is set: cheap enough for every page and series.
  [[nodiscard]] bool passed() const {
    const int64_t at_ns = at_ns_.load(std::memory_order_relaxed);
    return at_ns != kNever && clock_.SteadyNs() >= at_ns;
  }

 private:
  const Clock& clock_;
  std::atomic<int64_t> at_ns_{kNever};
};

}  // namespace tidemark
