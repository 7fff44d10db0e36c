// SteppedClock: a ManualClock of a machine whose time is set while its steady clock goes on.
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/base/clock.h"

namespace tidemark {

class SteppedClock final : public Clock {
 public:
  explicit SteppedClock(int64_t now_ns) : steady_ns_(now_ns) {}
  [[nodiscard]] int64_t NowNs() const override { return steady_ns_.load() + ahead_ns_.load(); }
  [[nodiscard]] int64_t SteadyNs() const override { return steady_ns_.load(); }
  void Advance(int64_t by_ns) { steady_ns_.fetch_add(by_ns); }
  // Somebody sets the time.
  void Step(int64_t by_ns) { ahead_ns_.fetch_add(by_ns); }

 private:
  std::atomic<int64_t> steady_ns_;
  std::atomic<int64_t> ahead_ns_ = 0;
};

}  // namespace tidemark
