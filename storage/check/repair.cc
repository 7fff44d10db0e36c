#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "storage/check/verify_journal.h"
#include "storage/journal/journal_scan.h"
#include "storage/meta/meta_records.h"
#include "storage/rocks/rocks_store.h"
#include "storage/rocks/store_lock.h"
#include "storage/verify.h"

namespace tidemark::storage {
namespace {

// The first record that a start needs.
Result<uint64_t> FirstNeeded(const std::string& directory) {
  TM_TRY_ASSIGN(const std::shared_ptr<rocks::RocksStore> rocks,
                rocks::RocksStore::Open({.directory = directory + "/rocksdb",
                                         .file_system = nullptr,
                                         .cache_bytes = 0,
                                         .read_only = true,
                                         .strict_log = false,
                                         .on_error = {}}));
  TM_TRY_ASSIGN(const std::optional<std::string> store, rocks->Get(rocks::Family::kMeta, rocks::kStoreKey));
  if (!store) return Corruption("meta has no store record");
  TM_TRY_ASSIGN(const meta::StoreRecord record, meta::DecodeStoreRecord(*store));
  return record.checkpoint_sequence + 1;
}

std::string Describe(const journal::JournalDamage& damage) {
  std::string text = fmt::format("{}: {}; ", damage.path, damage.what);
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

}  // namespace

Result<RepairReport> RepairJournal(const RepairOptions& options) {
  TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::Take(options.directory));
  auto first = FirstNeeded(options.directory);
  if (!first.ok()) return std::move(first).error().Within("what the journal must hold is not known");
  rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
  TM_TRY_ASSIGN(const journal::JournalCheck check,
                journal::CheckJournal(files, options.directory + "/journal", *first, check::JournalPayloadCheck()));
  RepairReport report;
  for (const journal::JournalDamage& damage : check.damages) {
    if (report.steps == 0 && !options.dry_run) {
      std::error_code error;
      std::filesystem::create_directories(options.aside, error);
      if (error) return IoError(fmt::format("creating {}: {}", options.aside, error.message()));
    }
    if (options.on_step) options.on_step(Describe(damage));
    if (!options.dry_run) TM_RETURN_IF_ERROR(journal::MendJournal(files, damage, options.aside));
    ++report.steps;
  }
  return report;
}

}  // namespace tidemark::storage
