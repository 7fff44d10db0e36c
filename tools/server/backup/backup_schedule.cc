#include "tools/server/backup/backup_schedule.h"

#include <algorithm>
#include <chrono>

#include "storage/base/log.h"

namespace tidemark::server::backup {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kRetryNsMax = 3'600'000'000'000;
// The machine's clock may be set: no wait is longer than this.
constexpr std::chrono::seconds kLongestWait{10};

}  // namespace

int64_t DueNs(int64_t interval_ns, int64_t last_ns, int64_t failed_ns, int64_t now_ns) {
  // One that was made in the future was made before the clock was set back: it must not keep all others from being
  // made.
  const int64_t due = last_ns == 0 || last_ns > now_ns ? 0 : last_ns + interval_ns;
  if (failed_ns == 0) return due;
  return std::max(due, failed_ns + std::min(interval_ns / 10, kRetryNsMax));
}

BackupSchedule::BackupSchedule(BackupMaker* maker, const Clock* clock) : maker_(maker), clock_(clock) {
  if (maker_->config().interval_ms > 0) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
}

void BackupSchedule::Stop() {
  thread_.request_stop();
  {
    MutexLock lock(mutex_);
    wake_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void BackupSchedule::Run(const std::stop_token& stop) {
  const int64_t interval_ns = maker_->config().interval_ms * kNsPerMs;
  int64_t failed_ns = 0;
  while (!stop.stop_requested()) {
    // One that was asked for by hand counts too.
    const int64_t last_ns = maker_->counters().last_made_ns;
    const int64_t now = clock_->NowNs();
    if (now >= DueNs(interval_ns, last_ns, failed_ns, now)) {
      const auto made = maker_->Make(stop, {});
      if (stop.stop_requested()) return;
      failed_ns = made.ok() ? 0 : clock_->NowNs();
      if (made.ok()) {
        TM_LOG(kInfo, "backup {} made in {}: {} bytes in {} files", made->id, maker_->config().directory, made->bytes,
               made->files);
      } else {
        TM_LOG(kError, "no backup could be made in {}: {}", maker_->config().directory, made.error().message);
      }
      continue;
    }
    MutexLock lock(mutex_);
    if (!stop.stop_requested()) wake_.WaitFor(mutex_, kLongestWait);
  }
}

}  // namespace tidemark::server::backup
