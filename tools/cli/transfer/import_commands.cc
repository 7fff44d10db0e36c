#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "storage/base/log.h"
#include "storage/model/limits.h"
#include "tools/cli/command.h"
#include "tools/cli/transfer/backup_source.h"
#include "tools/cli/transfer/formats.h"
#include "tools/cli/transfer/import_run.h"
#include "tools/cli/transfer/prometheus/tsdb_reader.h"
#include "tools/cli/transfer/transfer_commands.h"
#include "tools/cli/transfer/victoriametrics.h"

namespace tidemark::cli {
namespace {

using MakeReader = std::unique_ptr<PieceReader> (*)(std::unique_ptr<InFile> file);

// Of one file, whose reader `make` makes. `form`: for the state.
int ImportOneFile(const ImportFlags& flags, std::string_view form, MakeReader make, bool one_type = false) {
  const bool input = flags.source == "-";
  if (input && !flags.state.empty()) return Fail("--state is for a file: standard input cannot be gone back to");
  std::error_code error;
  const auto bytes = input ? 0 : std::filesystem::file_size(flags.source, error);
  const ImportJob job{.place = flags.place,
                      .database = flags.database,
                      .open = [&]() -> Result<std::unique_ptr<PieceReader>> {
                        TM_TRY_ASSIGN(std::unique_ptr<InFile> file, InFile::Open(flags.source));
                        return make(std::move(file));
                      },
                      .again = !input,
                      .one_type = one_type,
                      .source = fmt::format("{} {} {}", form, error ? 0 : bytes, flags.source),
                      .state = flags.state,
                      .compare = flags.compare};
  return RunImport(job);
}

}  // namespace

int RunImportFile(const ImportFlags& flags) {
  const auto format = FormatOf(flags.format, flags.source);
  if (!format.ok()) return Fail(format.error().message);
  return ImportOneFile(flags, (*format)->name, (*format)->reader);
}

int RunImportInfluxdb(const ImportFlags& flags) { return ImportOneFile(flags, "influxdb", &MakeLineProtocolReader); }

int RunImportVictoriametrics(const ImportFlags& flags) {
  return ImportOneFile(flags, "victoriametrics", &MakeVictoriametricsReader, /*one_type=*/true);
}

int RunImportPrometheus(const ImportFlags& flags) {
  const Result<std::string> name = prometheus::NameTsdb(flags.source);
  if (!name.ok()) return Fail(name.error().message);
  return RunImport({.place = flags.place,
                    .database = flags.database,
                    .open = [&] { return prometheus::OpenTsdb(flags.source); },
                    .again = true,
                    .one_type = true,
                    .source = *name,
                    .state = flags.state,
                    .compare = flags.compare});
}

int RunRestoreDatabase(const RestoreFlags& flags) {
  const std::string& name = flags.as.empty() ? flags.database : flags.as;
  if (const Status good = model::CheckDatabaseName(name); !good.ok()) {
    Fail(good.error().message);
    return 2;
  }
  // What is told of a store that goes again is of no use.
  log::SetLevel(log::Level::kWarn);
  const auto source = BackupSource::Open(flags.from, flags.id, flags.database);
  if (!source.ok()) {
    Fail(source.error().message);
    return source.error().code == ErrorCode::kCorruption ? 1 : 2;
  }
  return RunImport({.place = flags.place,
                    .database = name,
                    .open = [&] { return (*source)->Read(); },
                    .again = true,
                    .source = (*source)->name(),
                    .state = {},
                    .compare = true,
                    .whole_or_nothing = true});
}

}  // namespace tidemark::cli
