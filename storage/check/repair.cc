#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/text/instant.h"
#include "storage/check/check_copies.h"
#include "storage/check/check_records.h"
#include "storage/check/journal_proof.h"
#include "storage/check/verify_journal.h"
#include "storage/database/journal_record.h"
#include "storage/journal/journal_scan.h"
#include "storage/meta/meta_store.h"
#include "storage/rescue/readable_pages.h"
#include "storage/rescue/rebuild.h"
#include "storage/rescue/salvage.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/rocks_store.h"
#include "storage/rocks/store_lock.h"
#include "storage/rocks/store_sight.h"
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

// What keeps a start from writing, of RocksDB and what lies in it, or which of its pages cannot be read; "" when all is
// well.
Result<std::string> WhyRebuild(const std::string& directory, const std::function<void(uint64_t pages)>& progress) {
  rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
  TM_TRY_ASSIGN(const rocks::StoreSight sight, rocks::LookForStore(files, directory));
  if (sight.kind != rocks::StoreSight::Kind::kStore) return std::string();
  if (sight.no_beginning) return sight.no_beginning->message;
  std::string why;
  for (const bool strict : {true, false}) {
    if (!strict) {
      // A start reads past a torn last record too.
      TM_TRY_ASSIGN(const rocks::LogEnd end, rocks::ClassifyLogs(files, directory + "/rocksdb"));
      if (end != rocks::LogEnd::kTorn) return why;
    }
    const auto rocks = rocks::RocksStore::Open({.directory = directory + "/rocksdb",
                                                .file_system = nullptr,
                                                .cache_bytes = 0,
                                                .read_only = true,
                                                .strict_log = strict,
                                                .on_error = {}});
    if (rocks.ok()) {
      const auto whole = check::CheckRecords(**rocks);
      if (whole.ok()) {
        if (const auto open = check::CheckFirstPages(**rocks); !open.ok()) return open.error().message;
        TM_TRY_ASSIGN(const auto damaged, check::FindDamagedEpochs(**rocks, progress));
        if (damaged.empty()) return std::string();
        return fmt::format("pages of {} epoch{} cannot be read", damaged.size(), damaged.size() == 1 ? "" : "s");
      }
      if (whole.error().code == ErrorCode::kUnsupported) return whole.error();
      return whole.error().message;
    }
    why = rocks.error().message;
  }
  return why;
}

// Whether RocksDB can be opened past what is damaged, and records or names cannot be read then.
bool RecordsLost(const std::string& directory) {
  const auto rocks = rocks::RocksStore::Open({.directory = directory + "/rocksdb",
                                              .file_system = nullptr,
                                              .cache_bytes = 0,
                                              .read_only = true,
                                              .past_damage = true,
                                              .on_error = {}});
  return rocks.ok() && !check::CheckRecords(**rocks).ok();
}

class Repairer {
 public:
  explicit Repairer(const RepairOptions& options) : options_(options) {}

  Result<RepairReport> Run() {
    if (!options_.dry_run) TM_RETURN_IF_ERROR(rescue::FinishExchange(options_.directory));
    TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::Take(options_.directory));
    TM_TRY_ASSIGN(const std::string why, WhyRebuild(options_.directory, [this](uint64_t pages) {
                    if (options_.on_progress) options_.on_progress(fmt::format("{} pages", pages));
                  }));
    if (why.empty()) {
      auto meta = MarkOfMeta(options_.directory);
      if (!meta.ok()) return std::move(meta).error().Within("what the journal must hold is not known");
      meta_ = *meta;
      judged_ = *meta;
      lock->LetRocksDbLock();
    } else {
      lock->LetRocksDbLock();
      TM_RETURN_IF_ERROR(RebuildRocks(why));
    }
    TM_RETURN_IF_ERROR(NameStrayDatabases());
    TM_RETURN_IF_ERROR(RepairJournal());
    TM_RETURN_IF_ERROR(DropDamagedCopies());
    return report_;
  }

 private:
  void Step(const std::string& text) {
    if (options_.on_step) options_.on_step(text);
    ++report_.steps;
  }

  Result<void> DropDamagedCopies() {
    rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
    TM_TRY_ASSIGN(const std::vector<check::DamagedCopy> copies, check::CheckCopies(files, options_.directory));
    for (const check::DamagedCopy& copy : copies) {
      Step(fmt::format("{}: {}; deletes this copy, which the next checkpoint makes anew", copy.path, copy.what));
      if (options_.dry_run) continue;
      const rocksdb::IOStatus deleted = files->DeleteFile(copy.path, rocksdb::IOOptions(), nullptr);
      if (!deleted.ok()) return IoError(fmt::format("deleting {}: {}", copy.path, deleted.ToString()));
    }
    return {};
  }

  // What a rebuild would find out while it reads them page by page.
  static Result<void> TellOfDamagedPages(rescue::Salvage* salvage) {
    std::set<meta::EpochId> damaged = salvage->damaged;
    std::map<meta::EpochId, std::string> paths;
    for (const rescue::PageTable& table : salvage->pages) {
      const meta::EpochId id{table.sight.database, table.sight.epoch};
      paths.emplace(id, table.path);
      if (!table.sight.ends_readable) damaged.insert(id);
    }
    for (const meta::EpochId& id : damaged) {
      TM_TRY_ASSIGN(const meta::EpochRecord record, rescue::RecordOf(*salvage, id.first, id.second));
      const std::string place = rescue::PlaceOf(*salvage, record, paths[id]);
      const auto told = rescue::TellOfUnreadable(record, place, salvage);
      if (told.ok()) continue;
      model::Finding finding{.area = model::FindingArea::kPages, .place = place};
      finding.what = fmt::format("its pages cannot be taken in: {}; {} values from {} to {} would be given up",
                                 told.error().message, record.rows, text::PrintSecond(record.range.first.ns),
                                 text::PrintSecond(record.range.last.ns));
      finding.loss = model::Loss{};
      salvage->findings.push_back(std::move(finding));
    }
    return {};
  }

  Result<void> RebuildRocks(const std::string& why) {
    TM_TRY_ASSIGN(rescue::Salvage salvage, rescue::SalvageStore({.directory = options_.directory,
                                                                 .file_system = nullptr,
                                                                 .cache_bytes = 0,
                                                                 .records_lost = RecordsLost(options_.directory)}));
    Step(fmt::format("{}/rocksdb: {}; makes it anew from what can be read, and sets the old one aside",
                     options_.directory, why));
    TM_TRY_ASSIGN(salvage.damaged, check::FindDamagedEpochs(*salvage.rocks, {}));
    if (options_.dry_run) {
      TM_RETURN_IF_ERROR(TellOfDamagedPages(&salvage));
    } else {
      TM_RETURN_IF_ERROR(rescue::Rebuild(options_.directory, options_.aside, &salvage));
    }
    for (const model::Finding& finding : salvage.findings) {
      Step(model::Describe(finding) + (finding.loss ? "; gives that up" : ""));
      // Of names that were made up no row is missing; what they were called is.
      const bool names_lost = finding.area == model::FindingArea::kIndex && salvage.names_lost;
      if (!finding.loss && !names_lost) continue;
      report_.lost = true;
      given_up_.push_back(finding);
    }
    // What nobody can tell to be whole is not said to be.
    if (!salvage.sequence && !salvage.complete && !report_.lost) {
      Step("not every table and log of names and records could be read: some of them may be lost");
      report_.lost = true;
    }
    TM_TRY_ASSIGN(judged_, check::ReadMetaMark(*salvage.rocks));
    judged_.rocks_sequence = salvage.sequence;
    meta_ = judged_;
    rebuilt_ = true;
    if (options_.dry_run) return {};
    TM_TRY_ASSIGN(meta_, MarkOfMeta(options_.directory));
    return {};
  }

  // Databases that the journal has rows of and that meta never had: the change that made them is lost, and with it
  // their names and options. Their rows, and the names in them, are all in the journal.
  Result<void> NameStrayDatabases() {
    std::set<model::DatabaseId> stray;
    const auto collect = [&](uint64_t, std::string_view bytes) -> Result<void> {
      TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
      if (model::Number(record.database) >= judged_.next_database) stray.insert(record.database);
      return {};
    };
    TM_RETURN_IF_ERROR(journal::CheckJournal(rocksdb::FileSystem::Default().get(), options_.directory + "/journal",
                                             judged_.checkpoint_sequence.value_or(0) + 1, collect));
    if (stray.empty()) return {};
    report_.lost = true;
    meta::MetaChange change;
    for (const model::DatabaseId id : stray) {
      change.put_databases.push_back({id, fmt::format("recovered-{}", model::Number(id)), {}});
      Step(
          fmt::format("{}/rocksdb: database {} has rows in the journal, and its name and options are lost; names it {}",
                      options_.directory, model::Number(id), change.put_databases.back().name));
    }
    if (options_.dry_run) return {};
    TM_TRY_ASSIGN(const auto rocks,
                  rocks::RocksStore::Open(
                      {.directory = options_.directory + "/rocksdb", .file_system = nullptr, .on_error = {}}));
    meta::MetaStore meta(rocks, std::make_shared<rocks::Graveyard>());
    TM_RETURN_IF_ERROR(meta.Load());
    while (meta.TakeDatabaseId() < *stray.rbegin()) {
    }
    auto committed = meta.Commit(std::move(change));
    if (committed.ok()) committed = rocks->Flush();
    rocks->Close();
    TM_RETURN_IF_ERROR(std::move(committed));
    // What the watermark says of RocksDB has been held against it as it was.
    TM_TRY_ASSIGN(meta_, MarkOfMeta(options_.directory));
    return {};
  }

  Result<void> RepairJournal() {
    rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
    TM_TRY_ASSIGN(check::JournalProof proof,
                  check::ProveJournal(files, options_.directory, judged_, check::JournalPayloadCheck()));
    for (const journal::JournalDamage& damage : proof.check.damages) {
      if (damage.cut && !options_.dry_run) {
        std::error_code error;
        std::filesystem::create_directories(options_.aside, error);
        if (error) return IoError(fmt::format("creating {}: {}", options_.aside, error.message()));
      }
      Step(Describe(damage));
      if (!options_.dry_run) TM_RETURN_IF_ERROR(journal::MendJournal(files, damage, options_.aside));
    }
    for (const model::Finding& finding : proof.findings) {
      report_.lost |= finding.loss.has_value() || finding.area == model::FindingArea::kMeta;
      // Those of single segments have been said.
      const bool said = std::any_of(proof.check.damages.begin(), proof.check.damages.end(),
                                    [&](const auto& damage) { return damage.path == finding.place; });
      if (!said) Step(fmt::format("{}; {}", model::Describe(finding), Consequence(finding)));
    }
    proof.findings.insert(proof.findings.end(), given_up_.begin(), given_up_.end());
    if (options_.dry_run || (report_.steps == 0 && !rebuilt_)) return {};
    return check::AcceptLosses(files, proof, meta_, check::JournalPayloadCheck());
  }

  const RepairOptions& options_;
  RepairReport report_;
  check::MetaMark meta_;    // as it is after this
  check::MetaMark judged_;  // with the numbers that the watermark speaks of
  bool rebuilt_ = false;
  std::vector<model::Finding> given_up_;
};

}  // namespace

Result<RepairReport> Repair(const RepairOptions& options) { return Repairer(options).Run(); }

}  // namespace tidemark::storage
