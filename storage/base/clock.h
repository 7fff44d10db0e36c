// Clock: where the time comes from. Handed in, so that tests decide what time it is.
#pragma once

#include <atomic>
#include <cstdint>

namespace tidemark {

// Thread-safe. Both readings are in nanoseconds.
class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since 1970-01-01T00:00:00Z. May jump when the machine's clock is set.
  [[nodiscard]] virtual int64_t NowNs() const = 0;
  // Nanoseconds since an arbitrary start. Never goes back; for deadlines and durations.
  [[nodiscard]] virtual int64_t SteadyNs() const = 0;
};

// The machine's clock. One instance serves the whole process.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override;
  [[nodiscard]] int64_t SteadyNs() const override;
  static SystemClock& Get();
};

// A clock that moves only when told. Both readings move together.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ns) : now_ns_(now_ns) {}
  [[nodiscard]] int64_t NowNs() const override { return now_ns_.load(std::memory_order_relaxed); }
  [[nodiscard]] int64_t SteadyNs() const override { return NowNs(); }
  void Set(int64_t now_ns) { now_ns_.store(now_ns, std::memory_order_relaxed); }
  void Advance(int64_t by_ns) { now_ns_.fetch_add(by_ns, std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> now_ns_;
};

}  // namespace tidemark
