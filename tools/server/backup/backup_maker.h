// BackupMaker: makes backups of the store into the folder of the configuration, for whoever asks, and counts them.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/storage.h"

namespace tidemark::server::backup {

struct BackupConfig {
  std::string directory;    // empty: backups are not set up
  int64_t interval_ms = 0;  // 0: only when one is asked for
  uint32_t keep = 7;        // 0: all
};

// Thread-safe.
class BackupMaker {
 public:
  struct Counters {
    uint64_t made = 0;
    uint64_t failed = 0;
    // Of the newest in the folder, whoever made it.
    int64_t last_made_ns = 0;  // since 1970; 0: there is none
    uint64_t last_bytes = 0;
    int64_t last_duration_ns = 0;
  };

  // Errors: kInvalidArgument when the folder lies in `data`, with which it would be lost; kIo when that cannot be told.
  static Result<void> Check(const BackupConfig& config, const std::string& data);

  // Both outlive it.
  BackupMaker(storage::Store* store, const Clock* clock, BackupConfig config);

  [[nodiscard]] const BackupConfig& config() const { return config_; }
  // Errors: as Store::Backup, and kUnsupported when backups are not set up.
  Result<storage::BackupInfo> Make(std::stop_token stop, std::function<void(uint64_t bytes)> on_progress);
  [[nodiscard]] Counters counters() const;

 private:
  storage::Store* const store_;
  const Clock* const clock_;
  const BackupConfig config_;
  mutable Mutex mutex_;
  Counters counters_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::server::backup
