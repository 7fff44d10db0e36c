// Copies of a store that is at work.
#include <utility>

#include "storage/backup/backup_note.h"
#include "storage/engine/store_impl.h"
#include "storage/rocks/backup_files.h"

namespace tidemark::storage {

Result<BackupInfo> StoreImpl::Backup(const BackupOptions& options) {
  if (options.directory.empty()) return InvalidArgument("a backup needs a folder");
  const backup::BackupNote note{.store_id = parts_.store_id, .made_ns = parts_.clock.NowNs()};
  // What is in the journal alone is not copied.
  TM_RETURN_IF_ERROR(Checkpoint());
  TM_TRY_ASSIGN(const rocks::BackupFiles made, parts_.rocks->BackUp({.directory = options.directory,
                                                                     .note = backup::Encode(note),
                                                                     .keep = options.keep,
                                                                     .stop = options.stop,
                                                                     .on_progress = options.on_progress}));
  return BackupInfo{
      .id = made.id, .made_ns = note.made_ns, .bytes = made.bytes, .files = made.files, .store_id = note.store_id};
}

}  // namespace tidemark::storage
