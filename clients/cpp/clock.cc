#include "clients/cpp/clock.h"

#include <chrono>

namespace tidemark::client {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;

class MachineClock final : public Clock {
 public:
  [[nodiscard]] int64_t NowNs() const override {
    return duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  [[nodiscard]] int64_t SteadyNs() const override {
    return duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  void Wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, int64_t steady_ns) override {
    if (steady_ns == kNever) {
      changed.wait(lock);
    } else {
      const auto until = std::chrono::steady_clock::time_point(
          duration_cast<std::chrono::steady_clock::duration>(nanoseconds(steady_ns)));
      changed.wait_until(lock, until);
    }
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock clock;
  return clock;
}

}  // namespace tidemark::client
