#include "tools/cli/admin/directory_acts.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/base/clock.h"
#include "storage/base/text/count.h"
#include "storage/base/text/instant.h"
#include "storage/storage.h"
#include "storage/verify.h"
#include "tools/cli/command.h"
#include "tools/cli/say.h"
#include "tools/server/access/token_book.h"

namespace tidemark::cli {
namespace {

int CouldNotRun(const Error& error) {
  Fail(error.message);
  return kCouldNotRun;
}

// A store in `directory`, or nothing in it at all, as in a volume whose server is to begin with a token. One that is
// not there, or holds something else, is a name that was mistyped: nothing may be made by it.
Status CheckHasOrGetsStore(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(directory, error)) {
    return NotFound(fmt::format(
        "{0} is no data directory: there is nothing of that name. To begin a new one with a token, make the directory "
        "first: mkdir {0}",
        directory));
  }
  if (fs::exists(directory + "/identity", error) || fs::is_empty(directory, error)) return {};
  if (error) return IoError(fmt::format("{}: {}", directory, error.message()));
  return NotFound(fmt::format("{} is no data directory: there is no store in it", directory));
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
    Say("{}: {}\n", damage.place, damage.what);
    std::fflush(stdout);
  };
  options.on_accepted = [](std::string_view text) { Say(stderr, "tidemark: given up earlier: {}\n", text); };
  options.on_progress = [](std::string_view text) { Say(stderr, "tidemark: reading: {}\n", text); };
  const auto report = storage::Verify(options);
  if (!report.ok()) return CouldNotRun(report.error());
  Say("{}, {}, {} of {}, {}, {} in {}: {}\n", text::Counted(report->databases, "database"),
      text::Counted(report->epochs, "epoch"), text::Counted(report->pages, "page"),
      text::Counted(report->page_bytes, "byte"), text::Counted(report->files, "file"),
      text::Counted(report->records, "journal record"), text::Counted(report->segments, "segment"),
      report->damages == 0 ? "whole" : fmt::format("{} damaged", report->damages));
  return report->damages == 0 ? 0 : kDamaged;
}

int RunRepair(const std::string& directory, bool dry_run) {
  // What it makes is its owner's alone, as what a server makes.
  umask(S_IRWXG | S_IRWXO);
  storage::RepairOptions options;
  options.directory = directory;
  options.aside = fmt::format("{}/set-aside/{}", directory, FolderName(SystemClock::Get().NowNs()));
  options.dry_run = dry_run;
  options.on_progress = [](std::string_view text) { Say(stderr, "tidemark: reading: {}\n", text); };
  options.on_step = [](std::string_view text) {
    Say("{}\n", text);
    std::fflush(stdout);
  };
  const auto report = storage::Repair(options);
  if (!report.ok()) return CouldNotRun(report.error());
  if (report->steps == 0) {
    Say("what a start needs is whole: nothing to do\n");
  } else if (dry_run) {
    Say("nothing has been changed\n");
  } else if (std::error_code error; std::filesystem::exists(options.aside, error)) {
    Say("what was set aside is in {}\n", options.aside);
  } else {
    Say("it is done; nothing had to be set aside\n");
  }
  if (!report->lost) return 0;
  Say(stderr, "tidemark: {}: what is named above\n", dry_run ? "this would be lost" : "this is lost");
  return kDamaged;
}

int RunFirstToken(const std::string& directory, const std::string& name) {
  using server::access::TokenBook;
  if (const Status fits = CheckHasOrGetsStore(directory); !fits.ok()) return Fail(fits.error().message);
  storage::StoreOptions options;
  options.directory = directory;
  options.clock = &SystemClock::Get();
  auto store = storage::Store::Open(std::move(options));
  if (!store.ok()) return Fail(store.error().message);
  TokenBook tokens((*store)->Documents(), &SystemClock::Get());
  if (const Status loaded = tokens.Load(); !loaded.ok()) return Fail(loaded.error().message);
  const auto made =
      tokens.Make({.name = name, .grants = {{http::Access::kAdmin, "*"}}, .note = "made in the data directory"},
                  "the owner of the data directory");
  if (!made.ok()) return Fail(made.error().message);
  if (const Status closed = (*store)->Close(); !closed.ok()) return Fail(closed.error().message);
  fmt::print("{}\n", made->secret);
  Say(stderr, "tidemark: this secret is shown once; \"{}\" is admin of everything\n", name);
  return 0;
}

}  // namespace tidemark::cli
