#include "executor/telemetry/host_reporter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/base/check.h"
#include "storage/base/log.h"

namespace tidemark::executor {

HostReporter::HostReporter(HostReporterOptions options, model::PointSink& sink, const Clock& clock)
    : options_(std::move(options)), sink_(sink), clock_(clock), sampler_(options_.sampler) {
  TM_CHECK(options_.period_ns > 0);
}

HostReporter::~HostReporter() { Stop(); }

void HostReporter::Start() {
  TM_CHECK(!thread_.joinable());
  {
    MutexLock lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { Loop(); });
}

void HostReporter::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stopping_changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

Result<model::WriteReport> HostReporter::Tick() {
  const int64_t now_ns = clock_.NowNs();
  rows_.Clear();
  sampler_.Sample({now_ns - now_ns % options_.period_ns}, clock_.SteadyNs(), rows_);
  Result<model::WriteReport> written = sink_.Write(options_.database, rows_.batch());
  const bool failed = !written.ok() || written->rows_rejected > 0;
  if (failed && !failing_) {
    TM_LOG(kWarn, "host samples are not written to {}: {}", options_.database,
           !written.ok() ? written.error().message : written->rejections.front().error.message);
  } else if (!failed && failing_) {
    TM_LOG(kInfo, "host samples are written to {} again", options_.database);
  }
  failing_ = failed;
  return written;
}

void HostReporter::Loop() {
  // The first sample now: the rates need one to start from.
  int64_t next_ns = clock_.NowNs();
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && clock_.NowNs() < next_ns) {
        // Never longer than a period: the clock may be set back, or not be the machine's.
        const int64_t wait_ns = std::clamp<int64_t>(next_ns - clock_.NowNs(), 0, options_.period_ns);
        stopping_changed_.WaitFor(mutex_, std::chrono::nanoseconds(wait_ns));
        if (next_ns - clock_.NowNs() > options_.period_ns) next_ns = clock_.NowNs();
      }
      if (stopping_) return;
    }
    // A failure has been logged, and the next period brings the next sample.
    static_cast<void>(Tick());
    // Periods that a slow write has taken are left out, not caught up.
    const int64_t now_ns = clock_.NowNs();
    next_ns = now_ns - now_ns % options_.period_ns + options_.period_ns;
  }
}

}  // namespace tidemark::executor
