#include "tools/server/watch/self_recorder.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/memory/process_memory.h"
#include "storage/model/batch.h"
#include "tools/server/watch/uptime_recorder.h"

namespace tidemark::server {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

}  // namespace

std::optional<double> MemoryUsedRatio() {
  std::ifstream statm("/proc/self/statm");
  double virtual_pages = 0;
  double resident_pages = 0;
  if (!(statm >> virtual_pages >> resident_pages)) return std::nullopt;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  const uint64_t limit = memory::FindCeiling(0).bytes;
  if (limit == 0) return std::nullopt;
  return resident_pages * page / static_cast<double>(limit);
}

SelfRecorder::SelfRecorder(model::PointSink& sink, const Clock& clock, Look look)
    : sink_(sink), clock_(clock), look_(std::move(look)), last_ns_(clock.NowNs()), last_steady_ns_(clock.SteadyNs()) {}

Result<void> SelfRecorder::Record() {
  const SelfFigures figures = look_();
  const int64_t now_ns = clock_.NowNs();
  const int64_t steady_ns = clock_.SteadyNs();
  const int64_t jump_ns = (now_ns - last_ns_) - (steady_ns - last_steady_ns_);
  last_ns_ = now_ns;
  last_steady_ns_ = steady_ns;
  model::BatchBuilder rows;
  rows.Row("tidemark", {}, model::Timestamp{now_ns})
      .Field("findings", static_cast<int64_t>(figures.findings))
      .Field("corrupt_pages_total", static_cast<int64_t>(figures.corrupt_pages))
      .Field("receivers_failing", static_cast<int64_t>(figures.receivers_failing))
      .Field("reserve_missing_bytes", static_cast<int64_t>(figures.reserve_missing_bytes))
      .Field("clock_jump_seconds",
             std::abs(jump_ns) < kSecondNs ? 0.0 : static_cast<double>(jump_ns) / static_cast<double>(kSecondNs));
  if (figures.memory_used_ratio) rows.Field("memory_used_ratio", *figures.memory_used_ratio);
  if (figures.certificate_ends_seconds) rows.Field("certificate_ends_seconds", *figures.certificate_ends_seconds);
  TM_TRY_ASSIGN(const model::WriteReport report, sink_.Write(kServerDatabase, rows.batch()));
  if (!report.rejections.empty()) return report.rejections.front().error;
  return {};
}

void SelfRecorder::Start() {
  thread_ = std::thread([this] {
    bool failed = false;
    MutexLock lock(mutex_);
    while (!stopping_) {
      const Result<void> done = Record();
      if (!done.ok() && !failed) TM_LOG(kWarn, "the server's own figures are not recorded: {}", done.error().message);
      failed = !done.ok();
      stopping_changed_.WaitFor(mutex_, std::chrono::nanoseconds(kPeriodNs));
    }
  });
}

void SelfRecorder::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stopping_changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace tidemark::server
