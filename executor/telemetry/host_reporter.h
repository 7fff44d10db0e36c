// HostReporter: writes a HostSampler's rows once per period into a database, on a thread of its own. Times are whole
// periods, so that the points of all hosts and runs fall together and times cost next to nothing on disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "executor/telemetry/host_sampler.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"
#include "storage/model/point_sink.h"

namespace tidemark::executor {

inline constexpr std::string_view kHostDatabase = "_host";

struct HostReporterOptions {
  std::string database{kHostDatabase};
  int64_t period_ns = 1'000'000'000;
  HostSamplerOptions sampler{};
};

// `sink` and `clock` must outlive it. The thread runs from Start to Stop (or the destructor).
class HostReporter {
 public:
  HostReporter(HostReporterOptions options, model::PointSink& sink, const Clock& clock);
  ~HostReporter();
  HostReporter(const HostReporter&) = delete;
  HostReporter& operator=(const HostReporter&) = delete;

  void Start();
  // Returns when the thread has ended; a write under way is completed. May be called again.
  void Stop();

  // Samples now and writes, as the thread does at each period. Not while the thread runs. What the sink refuses is
  // lost; the first failure of a row of failures, and its end, are logged.
  Result<model::WriteReport> Tick();

 private:
  void Loop();

  const HostReporterOptions options_;
  model::PointSink& sink_;
  const Clock& clock_;
  HostSampler sampler_;
  model::BatchBuilder rows_;
  bool failing_ = false;

  Mutex mutex_;
  CondVar stopping_changed_;
  bool stopping_ TM_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark::executor
