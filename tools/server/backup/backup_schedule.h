// BackupSchedule: the thread that has a backup made when one is due: an interval after the newest that lies in the
// folder, whoever made it. One that failed is tried again after a tenth of the interval, at most an hour.
#pragma once

#include <cstdint>
#include <stop_token>
#include <thread>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "tools/server/backup/backup_maker.h"

namespace tidemark::server::backup {

// When the next one is due, since 1970: `last_ns` is when the newest was made (0: there is none), `failed_ns` when the
// last try failed (0: it did not). In the past: at once.
[[nodiscard]] int64_t DueNs(int64_t interval_ns, int64_t last_ns, int64_t failed_ns, int64_t now_ns);

class BackupSchedule {
 public:
  // Both outlive it. Runs from construction to Stop (or destruction), unless the interval is 0.
  BackupSchedule(BackupMaker* maker, const Clock* clock);
  ~BackupSchedule() { Stop(); }
  BackupSchedule(const BackupSchedule&) = delete;
  BackupSchedule& operator=(const BackupSchedule&) = delete;
  // Ends a backup that is being made. Idempotent.
  void Stop();

 private:
  void Run(const std::stop_token& stop);

  BackupMaker* const maker_;
  const Clock* const clock_;
  Mutex mutex_;
  CondVar wake_;
  std::jthread thread_;
};

}  // namespace tidemark::server::backup
