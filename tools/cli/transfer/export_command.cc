
#include "executor/agent/process/signal_stop.h"
#include "tools/cli/command.h"
#include "tools/cli/progress_line.h"
#include "tools/cli/say.h"
#include "tools/cli/transfer/formats.h"
#include "tools/cli/transfer/transfer_commands.h"

namespace tidemark::cli {
namespace {

constexpr int kCouldNotRun = 2;

// What an export has come to.
struct Exported {
  transfer::ExportEnd end;
  LeftOut left_out;
};

Result<Exported> Export(const ExportFlags& flags, const Format& format, OutFile* file, std::stop_token stop,
                        ProgressLine* line) {
  TM_TRY_ASSIGN(const std::unique_ptr<Target> target, Target::Open(flags.place, std::move(stop)));
  const std::unique_ptr<PieceWriter> writer = format.writer();
  std::string text;
  writer->Begin(&text);
  uint64_t points = 0;
  const auto take = [&](transfer::Piece* piece) -> Status {
    writer->Write(*piece, &text);
    TM_RETURN_IF_ERROR(file->Write(text));
    text.clear();
    points += piece->size();
    const Target::SeriesDone done = target->series_done();
    line->Show(points, done.done, done.all);
    return {};
  };
  TM_TRY_ASSIGN(transfer::ExportEnd end, target->Read(flags.wanted, take));
  writer->End(end, &text);
  TM_RETURN_IF_ERROR(file->Write(text));
  TM_RETURN_IF_ERROR(file->Finish());
  TM_RETURN_IF_ERROR(target->Close());
  return Exported{.end = std::move(end), .left_out = writer->left_out()};
}

}  // namespace

int RunExport(const ExportFlags& flags) {
  const auto signals = executor::SignalStop::Make();
  if (!signals.ok()) return Fail(signals.error().message);
  const auto could_not = [](const Error& error) {
    Fail(error.message);
    return kCouldNotRun;
  };
  const bool to_output = flags.to.empty() || flags.to == "-";
  const auto format = FormatOf(to_output && flags.format.empty() ? "jsonl" : flags.format, flags.to);
  if (!format.ok()) return could_not(format.error());
  auto file = OutFile::Create(to_output ? "-" : flags.to);
  if (!file.ok()) return could_not(file.error());
  ProgressLine line("exported");
  const auto exported = Export(flags, **format, file->get(), (*signals)->token(), &line);
  line.Finish();
  if (!exported.ok()) return could_not(exported.error());
  // Standard output is the export's own.
  Say(stderr, "{}; {} series, {}\n", line.Summary(exported->end.rows - exported->left_out.points),
      Grouped(exported->end.series), ShownBytes((*file)->bytes_out()));
  for (const std::string& warning : exported->end.warnings) Say(stderr, "tidemark: not whole: {}\n", warning);
  const LeftOut& left_out = exported->left_out;
  if (left_out.points > 0) {
    Say(stderr, "tidemark: {} points are left out, which {} cannot say: {}; jsonl and csv say everything\n",
        Grouped(left_out.points), (*format)->name, left_out.first);
  }
  return exported->end.warnings.empty() && left_out.points == 0 ? 0 : 1;
}

}  // namespace tidemark::cli
