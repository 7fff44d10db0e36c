// The making of a backup as a job: what was copied before a pause, or before the server stopped, is not copied again.
#pragma once

#include "tools/server/backup/backup_maker.h"
#include "tools/server/jobs/job_book.h"

namespace tidemark::server::backup {

// The kind "backup". `maker` outlives it.
jobs::JobKind BackupKind(BackupMaker* maker);

// What a reply says of a backup: members of a JSON object, without braces.
std::string BackupJson(const storage::BackupInfo& info);

}  // namespace tidemark::server::backup
