// Backups: copies of a store, in a folder of their own, of which it can be made again. A copy of a store that was
// copied there before takes only the files that are new. Store::Backup makes one of a store that is open; what is here
// reads them and needs no store. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::storage {

struct BackupInfo {
  uint32_t id = 0;  // ascends by time
  int64_t made_ns = 0;
  uint64_t bytes = 0;  // of its files, those that it shares with other backups among them
  uint64_t files = 0;
  std::string store_id;  // of the store that was copied (the file `identity`)
};

struct BackupOptions {
  std::string directory;  // of the backups; made when it is missing
  // So many backups of this folder stay, the newest; 0: all.
  uint32_t keep = 0;
  // Ends the copying with kCancelled; what was copied so far goes with the next backup.
  std::stop_token stop = {};
  // Called now and then on any thread: bytes copied so far.
  std::function<void(uint64_t bytes)> on_progress = {};
};

// Of a folder, ascending by id. Backups that are not whole as far as their sizes tell are left out. Errors: kNotFound
// (no such folder), kIo, kCorruption.
Result<std::vector<BackupInfo>> ListBackups(const std::string& directory);

// Reads every byte of a backup (0: the newest). Errors: kCorruption names the file whose checksum or size is another;
// kNotFound, kIo.
Result<BackupInfo> VerifyBackup(const std::string& directory, uint32_t id);

// The id of the store in a data directory, which no two stores have in common; a restored one has another than the one
// that was copied. Errors: kNotFound (no store lies there), kCorruption, kUnsupported, kIo.
Result<std::string> StoreIdIn(const std::string& data_directory);

// Makes the store anew at `to`, which must not exist, or be an empty folder: all of it or nothing, whenever the power
// goes. Every byte is checked on the way. The store gets an identity of its own. Errors: kAlreadyExists (something lies
// at `to`), as VerifyBackup, kResourceExhausted (the disk is full).
Result<BackupInfo> RestoreBackup(const std::string& directory, uint32_t id, const std::string& to);

}  // namespace tidemark::storage
