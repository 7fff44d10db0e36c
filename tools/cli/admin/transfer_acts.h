// The acts that move points in and out.
#pragma once

#include "tools/cli/admin/act_flags.h"

namespace tidemark::cli {

// Exit codes: tools/cli/transfer.
int RunExportAct(const ActFlags& flags);
int RunImportFileAct(const ActFlags& flags);
int RunImportPrometheusAct(const ActFlags& flags);
int RunImportInfluxdbAct(const ActFlags& flags);
int RunImportVictoriametricsAct(const ActFlags& flags);
int RunHashAct(const ActFlags& flags);

}  // namespace tidemark::cli
