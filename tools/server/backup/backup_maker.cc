#include "tools/server/backup/backup_maker.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace tidemark::server::backup {

Result<void> BackupMaker::Check(const BackupConfig& config, const std::string& data) {
  if (config.directory.empty()) {
    if (config.interval_ms == 0) return {};
    return InvalidArgument("backup.interval needs backup.directory: where the backups go");
  }
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path inside = fs::weakly_canonical(fs::absolute(config.directory), error);
  const fs::path outside = fs::weakly_canonical(fs::absolute(data), error);
  if (std::mismatch(outside.begin(), outside.end(), inside.begin(), inside.end()).first == outside.end()) {
    return InvalidArgument(fmt::format(
        "backup.directory {} lies in the data directory {}, with which it would be lost: name one on another disk",
        config.directory, data));
  }
  return {};
}

Result<storage::BackupInfo> BackupMaker::Make(std::stop_token stop, std::function<void(uint64_t bytes)> on_progress) {
  if (config_.directory.empty()) {
    return Unsupported("backups are not set up: set backup.directory to a folder on another disk and start again");
  }
  const int64_t began = clock_->SteadyNs();
  Result<storage::BackupInfo> made = store_->Backup({.directory = config_.directory,
                                                     .keep = config_.keep,
                                                     .stop = std::move(stop),
                                                     .on_progress = std::move(on_progress)});
  MutexLock lock(mutex_);
  if (!made.ok()) {
    ++counters_.failed;
    return made;
  }
  ++counters_.made;
  counters_.last_made_ns = made->made_ns;
  counters_.last_bytes = made->bytes;
  counters_.last_duration_ns = clock_->SteadyNs() - began;
  return made;
}

BackupMaker::Counters BackupMaker::counters() const {
  MutexLock lock(mutex_);
  return counters_;
}

}  // namespace tidemark::server::backup
