// BackupSource: one database of a backup, as a source for an import.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "storage/base/result.h"
#include "tools/cli/scratch_folder.h"
#include "tools/cli/transfer/piece_reader.h"

namespace tidemark::cli {

// Not thread-safe. Readers must go before it.
class BackupSource {
 public:
  // Makes the whole store of the backup (0: the newest) in a folder beside the backups, every byte checked, which goes
  // with it. Errors: those of storage::RestoreBackup; kNotFound names the databases that there are.
  static Result<std::unique_ptr<BackupSource>> Open(const std::string& from, uint32_t id, const std::string& database);
  BackupSource(const BackupSource&) = delete;
  BackupSource& operator=(const BackupSource&) = delete;

  // One at a time.
  [[nodiscard]] Result<std::unique_ptr<PieceReader>> Read() const;
  // What it is known by: backup and database.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  BackupSource() = default;

  std::unique_ptr<ScratchFolder> scratch_;
  std::string folder_;  // of the store, in scratch_
  std::string database_;
  std::string name_;
};

}  // namespace tidemark::cli
