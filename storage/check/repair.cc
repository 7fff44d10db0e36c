#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "storage/check/journal_proof.h"
#include "storage/check/verify_journal.h"
#include "storage/journal/journal_scan.h"
#include "storage/rocks/rocks_store.h"
#include "storage/rocks/store_lock.h"
#include "storage/verify.h"

namespace tidemark::storage {
namespace {

Result<check::MetaMark> MarkOfMeta(const std::string& directory) {
  // As a start reads it: the strict rule first, so that the two see the same changes.
  for (const bool strict : {true, false}) {
    auto rocks = rocks::RocksStore::Open({.directory = directory + "/rocksdb",
                                          .file_system = nullptr,
                                          .cache_bytes = 0,
                                          .read_only = true,
                                          .strict_log = strict,
                                          .on_error = {}});
    if (rocks.ok()) return check::ReadMetaMark(**rocks);
    if (!strict) return std::move(rocks).error();
  }
  return check::MetaMark{};
}

std::string Describe(const journal::JournalDamage& damage) {
  std::string text = fmt::format("{}: {}; ", damage.path, damage.what);
  if (damage.length_only) return text + "gives up nothing that is there, and makes it as long as a writer leaves it";
  if (!damage.last) {
    text += fmt::format("gives up record {} and what follows it there", damage.first);
  } else if (*damage.last < damage.first) {
    text += "gives up nothing that is needed";
  } else {
    text += fmt::format("gives up records {} to {}, and later rows whose names only they define", damage.first,
                        *damage.last);
  }
  if (damage.cut)
    text += *damage.cut == 0 ? "; sets the file aside" : fmt::format("; sets it aside from byte {} on", *damage.cut);
  return text;
}

std::string_view Consequence(const model::Finding& finding) {
  if (finding.area == model::FindingArea::kWatermark) return "gives up nothing, and begins a new one";
  if (finding.area == model::FindingArea::kMeta) return "gives up those changes, for good to be seen";
  return "gives up what is missing, for good to be seen";
}

}  // namespace

Result<RepairReport> RepairJournal(const RepairOptions& options) {
  TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::Take(options.directory));
  auto meta = MarkOfMeta(options.directory);
  if (!meta.ok()) return std::move(meta).error().Within("what the journal must hold is not known");
  rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
  check::MetaMark judged = *meta;
  if (options.meta_is_new) judged.rocks_sequence.reset();
  TM_TRY_ASSIGN(const check::JournalProof proof,
                check::ProveJournal(files, options.directory, judged, check::JournalPayloadCheck()));
  RepairReport report;
  const auto step = [&](const std::string& text) {
    if (options.on_step) options.on_step(text);
    ++report.steps;
  };
  for (const journal::JournalDamage& damage : proof.check.damages) {
    if (damage.cut && !options.dry_run) {
      std::error_code error;
      std::filesystem::create_directories(options.aside, error);
      if (error) return IoError(fmt::format("creating {}: {}", options.aside, error.message()));
    }
    step(Describe(damage));
    if (!options.dry_run) TM_RETURN_IF_ERROR(journal::MendJournal(files, damage, options.aside));
  }
  for (const model::Finding& finding : proof.findings) {
    report.lost |= finding.loss.has_value() || finding.area == model::FindingArea::kMeta;
    // Those of single segments have been said.
    const bool said = std::any_of(proof.check.damages.begin(), proof.check.damages.end(),
                                  [&](const auto& damage) { return damage.path == finding.place; });
    if (!said) step(fmt::format("{}; {}", model::Describe(finding), Consequence(finding)));
  }
  if (!options.dry_run && (report.steps > 0 || options.meta_is_new)) {
    TM_RETURN_IF_ERROR(check::AcceptLosses(files, proof, *meta, check::JournalPayloadCheck()));
  }
  return report;
}

}  // namespace tidemark::storage
