
#include <algorithm>

#include "executor/agent/process/signal_stop.h"
#include "storage/base/text/json_string.h"
#include "tools/cli/command.h"
#include "tools/cli/progress_line.h"
#include "tools/cli/say.h"
#include "tools/cli/transfer/transfer_commands.h"
#include "tools/transfer/logical_hash.h"

namespace tidemark::cli {
namespace {

constexpr int kCouldNotRun = 2;

void Print(const std::string& database, uint64_t series, const transfer::LogicalHash& hash, bool json) {
  if (!json) {
    Say("{:<24} {:>12} {:>18}  {}\n", database, Grouped(series), Grouped(hash.points), transfer::ToText(hash.sum));
    return;
  }
  std::string line = R"({"database":)";
  text::AppendJsonString(&line, database);
  Say("{},\"series\":{},\"points\":{},\"hash\":\"{}\"}}\n", line, series, hash.points, transfer::ToText(hash.sum));
}

// Whether all could be read.
Result<bool> HashAll(const HashFlags& flags, std::stop_token stop) {
  TM_TRY_ASSIGN(const std::unique_ptr<Target> target, Target::Open(flags.place, std::move(stop)));
  std::vector<std::string> databases{flags.wanted.database};
  if (flags.wanted.database.empty()) {
    TM_TRY_ASSIGN(databases, target->Databases());
  }
  std::sort(databases.begin(), databases.end());
  if (!flags.json) Say("{:<24} {:>12} {:>18}  {}\n", "database", "series", "points", "logical hash");
  bool whole = true;
  for (const std::string& database : databases) {
    Wanted wanted = flags.wanted;
    wanted.database = database;
    transfer::LogicalHash hash;
    ProgressLine line("read");
    const auto take = [&](transfer::Piece* piece) -> Status {
      hash.Add(HashOf(*piece));
      const Target::SeriesDone done = target->series_done();
      line.Show(hash.points, done.done, done.all);
      return {};
    };
    TM_TRY_ASSIGN(const transfer::ExportEnd end, target->Read(wanted, take));
    line.Finish();
    Print(database, end.series, hash, flags.json);
    for (const std::string& warning : end.warnings) Say(stderr, "tidemark: {}: {}\n", database, warning);
    whole = whole && end.warnings.empty();
  }
  TM_RETURN_IF_ERROR(target->Close());
  return whole;
}

}  // namespace

int RunHash(const HashFlags& flags) {
  const auto signals = executor::SignalStop::Make();
  if (!signals.ok()) return Fail(signals.error().message);
  const Result<bool> whole = HashAll(flags, (*signals)->token());
  if (whole.ok()) return *whole ? 0 : 1;
  Fail(whole.error().message);
  return kCouldNotRun;
}

}  // namespace tidemark::cli
