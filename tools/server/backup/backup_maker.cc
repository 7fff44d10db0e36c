#include "tools/server/backup/backup_maker.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "storage/backup.h"
#include "storage/base/log.h"

namespace tidemark::server::backup {
namespace {

namespace fs = std::filesystem;

// Where a path leads, of which the end need not be there. Errors: kIo.
Result<fs::path> PlaceOf(const std::string& text) {
  std::error_code error;
  fs::path place = fs::absolute(text, error);
  if (!error) place = fs::weakly_canonical(place, error);
  if (error) return IoError(fmt::format("{}: {}", text, error.message()));
  // A slash at the end is an element of its own while nothing is there.
  if (!place.has_filename()) place = place.parent_path();
  return place;
}

}  // namespace

BackupMaker::BackupMaker(storage::Store* store, const Clock* clock, BackupConfig config)
    : store_(store), clock_(clock), config_(std::move(config)) {
  if (config_.directory.empty()) return;
  const auto all = storage::ListBackups(config_.directory);
  // No folder yet is no backup yet.
  if (!all.ok() && all.error().code != ErrorCode::kNotFound) {
    TM_LOG(kWarn, "which backups are in {} is not known: {}", config_.directory, all.error().message);
  }
  if (!all.ok() || all->empty()) return;
  MutexLock lock(mutex_);
  counters_.last_made_ns = all->back().made_ns;
  counters_.last_bytes = all->back().bytes;
}

Result<void> BackupMaker::Check(const BackupConfig& config, const std::string& data) {
  if (config.directory.empty()) {
    if (config.interval_ms == 0) return {};
    return InvalidArgument("backup.interval needs backup.directory: where the backups go");
  }
  TM_TRY_ASSIGN(const fs::path inside, PlaceOf(config.directory));
  TM_TRY_ASSIGN(const fs::path outside, PlaceOf(data));
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
