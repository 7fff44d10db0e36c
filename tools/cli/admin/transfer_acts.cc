#include "tools/cli/admin/transfer_acts.h"

#include <optional>
#include <string>
#include <string_view>

#include "storage/backup.h"
#include "storage/base/clock.h"
#include "storage/base/log.h"
#include "storage/base/result.h"
#include "tools/cli/command.h"
#include "tools/cli/scratch_folder.h"
#include "tools/cli/support/support_bundle.h"
#include "tools/cli/time_text.h"
#include "tools/cli/transfer/transfer_commands.h"

namespace tidemark::cli {
namespace {

Place PlaceOf(const ActFlags& flags) { return {.server = flags.server, .data = flags["--data"].text}; }

Result<std::optional<int64_t>> TimeOf(const ActFlags::Value& value) {
  if (value.text.empty()) return std::nullopt;
  const Result<int64_t> ms = ParseTimeText(value.text, SystemClock::Get().NowNs() / 1'000'000);
  if (!ms.ok()) return ms.error().Within(value.parameter->flag);
  return *ms;
}

Result<Wanted> WantedOf(const ActFlags& flags) {
  Wanted wanted{.database = flags["db"].text, .match = flags["--match"].list};
  TM_TRY_ASSIGN(wanted.start_ms, TimeOf(flags["--start"]));
  TM_TRY_ASSIGN(wanted.end_ms, TimeOf(flags["--end"]));
  if (wanted.start_ms && wanted.end_ms && *wanted.end_ms < *wanted.start_ms) {
    return InvalidArgument("--end lies before --start");
  }
  return wanted;
}

// What all imports have.
ImportFlags ImportOf(const ActFlags& flags, std::string_view database) {
  return {.place = PlaceOf(flags),
          .database = flags[database].text,
          .source = flags["source"].text,
          .format = {},
          .state = flags["--state"].text,
          .compare = !flags["--no-comparison"].on};
}

}  // namespace

int RunExportAct(const ActFlags& flags) {
  const Result<Wanted> wanted = WantedOf(flags);
  if (!wanted.ok()) return Fail(wanted.error().message);
  return RunExport(
      {.place = PlaceOf(flags), .wanted = *wanted, .format = flags["--format"].text, .to = flags["--to"].text});
}

int RunImportFileAct(const ActFlags& flags) {
  ImportFlags import = ImportOf(flags, "db");
  import.format = flags["--format"].text;
  return RunImportFile(import);
}

int RunImportPrometheusAct(const ActFlags& flags) { return RunImportPrometheus(ImportOf(flags, "db")); }
int RunImportInfluxdbAct(const ActFlags& flags) { return RunImportInfluxdb(ImportOf(flags, "--db")); }
int RunImportVictoriametricsAct(const ActFlags& flags) { return RunImportVictoriametrics(ImportOf(flags, "db")); }

int RunHashAct(const ActFlags& flags) {
  const Result<Wanted> wanted = WantedOf(flags);
  if (!wanted.ok()) return Fail(wanted.error().message);
  return RunHash({.place = PlaceOf(flags), .wanted = *wanted, .json = flags["--json"].on});
}

int RunRestoreDatabaseAct(const ActFlags& flags) {
  return RunRestoreDatabase({.place = PlaceOf(flags),
                             .from = flags["--from"].text,
                             .id = static_cast<uint32_t>(flags["--id"].count),
                             .database = flags["db"].text,
                             .as = flags["--as"].text});
}

int RunSupportAct(const ActFlags& flags) {
  const std::string& data = flags["--data"].text;
  return RunSupport({.server = data.empty() ? flags.server : std::string(),
                     .data = data,
                     .log = flags["--log"].text,
                     .version = TIDEMARK_VERSION,
                     .now_ns = SystemClock::Get().NowNs()},
                    flags["--to"].text);
}

int HashBehind(int code, const std::string& data) {
  if (code != 0) return code;
  return RunHash({.place = {.server = {}, .data = data}, .wanted = {.database = {}}, .json = false});
}

int HashBackupBehind(int code, const std::string& from, uint64_t id) {
  if (code != 0) return code;
  log::SetLevel(log::Level::kWarn);
  const auto beside = ScratchFolder::Make(from + ".hash");
  if (!beside.ok()) return Fail(beside.error().message);
  const std::string store = (*beside)->path() + "/store";
  const auto restored = storage::RestoreBackup(from, static_cast<uint32_t>(id), store);
  return restored.ok() ? HashBehind(0, store) : Fail(restored.error().message);
}

}  // namespace tidemark::cli
