// Backups of a RocksDB by its own BackupEngine: tables are copied once, under names that say what they are, and shared
// by all backups of a folder; each file has a checksum.
//
// Source: https://github.com/facebook/rocksdb/wiki/How-to-backup-RocksDB, rocksdb/utilities/backup_engine.h of 7.8.3.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::storage::rocks {

struct BackupFiles {
  uint32_t id = 0;
  uint64_t bytes = 0;
  uint64_t files = 0;
  std::string note;  // what whoever made it had to say
};

struct BackupRequest {
  std::string directory;
  std::string note;
  uint32_t keep = 0;  // 0: all
  std::stop_token stop;
  std::function<void(uint64_t bytes)> on_progress;
};

// Ascending by id. Errors: kNotFound, kIo, kCorruption.
Result<std::vector<BackupFiles>> BackupsIn(const std::string& directory);
// 0 is the newest. Errors: kNotFound, kCorruption, kIo.
Result<BackupFiles> FindBackup(const std::string& directory, uint32_t id);
// Reads every byte of it. Errors: as FindBackup.
Result<BackupFiles> CheckBackup(const std::string& directory, uint32_t id);
// Into `to`, which is made; every byte is checked on the way. Errors: as FindBackup, kResourceExhausted.
Result<void> CopyBackup(const std::string& directory, uint32_t id, const std::string& to);

}  // namespace tidemark::storage::rocks
