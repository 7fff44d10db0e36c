#include "tools/tls/handshake_log.h"

#include <fmt/core.h>

#include <atomic>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/log.h"

namespace tidemark::tls {
namespace {

constexpr int64_t kPauseNs = 5'000'000'000;

}  // namespace

void LogFailedHandshake(std::string_view peer, std::string_view why) {
  static std::atomic<int64_t> next_ns{0};
  static std::atomic<uint64_t> silent{0};
  const int64_t now_ns = SystemClock::Get().SteadyNs();
  int64_t due_ns = next_ns.load(std::memory_order_relaxed);
  // Who moves the time on writes the line.
  if (now_ns < due_ns || !next_ns.compare_exchange_strong(due_ns, now_ns + kPauseNs, std::memory_order_relaxed)) {
    silent.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const uint64_t others = silent.exchange(0, std::memory_order_relaxed);
  const std::string more = others > 0 ? fmt::format("; {} more since the last such line", others) : "";
  TM_LOG(kWarn, "TLS: the handshake with {} failed: {}{}", peer, why, more);
}

}  // namespace tidemark::tls
