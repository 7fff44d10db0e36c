// SelfRecorder: what the server knows of its own health, as points, so that rules can alert on it.
//
// Into the database _server, measurement `tidemark`, without tags, every kPeriodNs:
//
//   findings (damage that nobody has accepted), corrupt_pages_total, memory_used_ratio (of what the process may use:
//   the limit of its control group or the machine's memory), receivers_failing (ways of receivers and Alertmanagers
//   that do not take what is sent), reserve_missing_bytes (of what is to be set aside of the disk),
//   certificate_ends_seconds (since 1970; only under TLS), clock_jump_seconds (how far the machine's clock was set
//   since the point before; what is under a second is 0)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/point_sink.h"

namespace tidemark::server {

struct SelfFigures {
  uint64_t findings = 0;
  uint64_t corrupt_pages = 0;
  std::optional<double> memory_used_ratio;
  uint64_t receivers_failing = 0;
  uint64_t reserve_missing_bytes = 0;
  std::optional<int64_t> certificate_ends_seconds;
};

// Of this process; nothing where /proc does not say.
std::optional<double> MemoryUsedRatio();

class SelfRecorder {
 public:
  static constexpr int64_t kPeriodNs = 15'000'000'000;

  using Look = std::function<SelfFigures()>;

  // Both outlive it.
  SelfRecorder(model::PointSink& sink, const Clock& clock, Look look);
  ~SelfRecorder() { Stop(); }
  SelfRecorder(const SelfRecorder&) = delete;
  SelfRecorder& operator=(const SelfRecorder&) = delete;

  // Writes one point. Errors: those of the sink, and why it did not take the point. Not while the thread runs.
  Result<void> Record();

  // Record each period on a thread of its own until Stop. What the sink refuses is logged once.
  void Start();
  void Stop();

 private:
  model::PointSink& sink_;
  const Clock& clock_;
  const Look look_;
  // The clocks at the point before.
  int64_t last_ns_;
  int64_t last_steady_ns_;

  Mutex mutex_;
  CondVar stopping_changed_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark::server
