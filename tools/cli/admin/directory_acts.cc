#include "tools/cli/admin/directory_acts.h"

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/clock.h"
#include "storage/base/text/instant.h"
#include "storage/verify.h"
#include "tools/cli/command.h"

namespace tidemark::cli {
namespace {

constexpr int kDamaged = 1;
constexpr int kCouldNotRun = 2;

int CouldNotRun(const Error& error) {
  Fail(error.message);
  return kCouldNotRun;
}

// "2026-01-31T120000.123Z": a folder name that sorts, and that no two runs share.
std::string FolderName(int64_t now_ns) {
  return text::PrintInstant(text::Instant::FromNs(now_ns),
                            {.colon = "", .fraction = text::InstantStyle::Fraction::kMs});
}

}  // namespace

int RunVerify(const std::string& directory) {
  storage::VerifyOptions options;
  options.directory = directory;
  options.on_damage = [](const storage::Damage& damage) {
    fmt::print("{}: {}\n", damage.place, damage.what);
    std::fflush(stdout);
  };
  options.on_progress = [](std::string_view text) { fmt::print(stderr, "tidemark: reading: {}\n", text); };
  const auto report = storage::Verify(options);
  if (!report.ok()) return CouldNotRun(report.error());
  fmt::print("{} databases, {} epochs, {} pages of {} bytes, {} files, {} journal records in {} segments: {}\n",
             report->databases, report->epochs, report->pages, report->page_bytes, report->files, report->records,
             report->segments, report->damages == 0 ? "whole" : fmt::format("{} damaged", report->damages));
  return report->damages == 0 ? 0 : kDamaged;
}

int RunRepair(const std::string& directory, bool dry_run) {
  storage::RepairOptions options;
  options.directory = directory;
  options.aside = fmt::format("{}/set-aside/{}", directory, FolderName(SystemClock::Get().NowNs()));
  options.dry_run = dry_run;
  options.on_step = [](std::string_view text) {
    fmt::print("{}\n", text);
    std::fflush(stdout);
  };
  const auto report = storage::RepairJournal(options);
  if (!report.ok()) return CouldNotRun(report.error());
  if (report->steps == 0) {
    fmt::print("the journal is whole: nothing to do\n");
  } else if (dry_run) {
    fmt::print("nothing has been changed\n");
  } else {
    fmt::print("what was set aside is in {}\n", options.aside);
  }
  return 0;
}

}  // namespace tidemark::cli
