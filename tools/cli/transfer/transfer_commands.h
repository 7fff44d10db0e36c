// `tidemark admin export`, `import` and `hash`: what they do once their flags are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/cli/transfer/target.h"

namespace tidemark::cli {

struct ExportFlags {
  Place place;
  Wanted wanted;
  std::string format;
  std::string to;  // "" or "-": standard output
};
// Exit codes: 0; 1 when a part could not be read or the format could not say it; 2 when it could not be done.
int RunExport(const ExportFlags& flags);

struct ImportFlags {
  Place place;
  std::string database;
  std::string source;  // a file or a folder
  std::string format;
  std::string state;
  bool compare = true;
};
// See import_run.h for the exit codes.
int RunImportFile(const ImportFlags& flags);
// A data directory of Prometheus, or one block; the line protocol of `influx_inspect export`, which may name databases;
// the JSON lines of VictoriaMetrics' /api/v1/export.
int RunImportPrometheus(const ImportFlags& flags);
int RunImportInfluxdb(const ImportFlags& flags);
int RunImportVictoriametrics(const ImportFlags& flags);

struct RestoreFlags {
  Place place;
  std::string from;      // the folder of the backups
  uint32_t id = 0;       // 0: the newest
  std::string database;  // of the backup
  std::string as;        // its name there; "": the same
};
// The database must not be there; when not all of it comes, none of it is left.
int RunRestoreDatabase(const RestoreFlags& flags);

struct HashFlags {
  Place place;
  Wanted wanted;  // database "": of each
  bool json = false;
};
// Exit codes: 0; 1 when a part could not be read; 2.
int RunHash(const HashFlags& flags);

}  // namespace tidemark::cli
