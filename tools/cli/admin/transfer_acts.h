// The acts that move points in and out.
#pragma once

#include <cstdint>
#include <string>

#include "tools/cli/admin/act_flags.h"

namespace tidemark::cli {

// Exit codes: tools/cli/transfer.
int RunExportAct(const ActFlags& flags);
int RunImportFileAct(const ActFlags& flags);
int RunImportPrometheusAct(const ActFlags& flags);
int RunImportInfluxdbAct(const ActFlags& flags);
int RunImportVictoriametricsAct(const ActFlags& flags);
int RunHashAct(const ActFlags& flags);

int RunRestoreDatabaseAct(const ActFlags& flags);
int RunSupportAct(const ActFlags& flags);

// Prints the logical hashes of a data directory, or of a backup, that was verified with `code`, and gives the worse
// code of both. One that is damaged is not looked at. Of a backup a store is made beside it for that, and removed.
int HashBehind(int code, const std::string& data);
int HashBackupBehind(int code, const std::string& from, uint64_t id);

}  // namespace tidemark::cli
