#include "storage/verify.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "storage/check/check_copies.h"
#include "storage/check/journal_proof.h"
#include "storage/check/verify_journal.h"
#include "storage/database/journal_record.h"
#include "storage/documents/document_check.h"
#include "storage/journal/journal_scan.h"
#include "storage/meta/mask_spec.h"
#include "storage/meta/meta_store.h"
#include "storage/partition/epoch.h"
#include "storage/rescue/page_check.h"
#include "storage/rescue/page_findings.h"
#include "storage/rescue/page_names.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/store_lock.h"
#include "storage/rocks/store_sight.h"
#include "storage/watermark/accepted_losses.h"

namespace tidemark::storage {
namespace {

constexpr uint64_t kCacheBytes = uint64_t{8} << 20;
constexpr uint64_t kPagesPerProgress = 10'000;

class Verifier {
 public:
  explicit Verifier(const VerifyOptions& options) : options_(options) {}

  Result<VerifyReport> Run() {
    TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::Take(options_.directory));
    TM_RETURN_IF_ERROR(CheckBeginning());
    TM_RETURN_IF_ERROR(OpenRocks());
    if (rocks_ != nullptr) {
      TM_RETURN_IF_ERROR(CheckMeta());
      for (const auto& [id, database] : databases_) CheckDatabase(database);
      TM_RETURN_IF_ERROR(CheckFiles());
    }
    TM_RETURN_IF_ERROR(CheckJournalRecords());
    Progress("the copies of names and records");
    TM_TRY_ASSIGN(const std::vector<check::DamagedCopy> copies,
                  check::CheckCopies(rocksdb::FileSystem::Default().get(), options_.directory));
    for (const check::DamagedCopy& copy : copies) Found(copy.path, copy.what);
    return report_;
  }

 private:
  void Found(std::string place, std::string what) {
    ++report_.damages;
    if (options_.on_damage) options_.on_damage({std::move(place), std::move(what)});
  }
  void Progress(const std::string& text) {
    if (options_.on_progress) options_.on_progress(text);
  }

  // The files that say that a store is here, and where it begins.
  Result<void> CheckBeginning() {
    rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
    auto identity = rocks::ReadIdentity(files, options_.directory);
    if (!identity.ok() && identity.error().code != ErrorCode::kCorruption) return std::move(identity).error();
    if (!identity.ok()) Found(rocks::IdentityPath(options_.directory), identity.error().message);
    TM_TRY_ASSIGN(const rocks::StoreSight sight, rocks::LookForStore(files, options_.directory));
    if (sight.no_beginning) Found(options_.directory, sight.no_beginning->message);
    return {};
  }

  Result<void> OpenRocks() {
    TM_TRY_ASSIGN(const std::string damage, TryOpen(/*strict_log=*/true));
    if (rocks_ != nullptr) return {};
    // A damaged log does not keep what stands before the damage from being looked at, nor does a table that is gone.
    TM_TRY_ASSIGN(const std::string worse, TryOpen(/*strict_log=*/false));
    TM_TRY_ASSIGN(const rocks::LogEnd end,
                  rocks::ClassifyLogs(rocksdb::FileSystem::Default().get(), options_.directory + "/rocksdb"));
    if (rocks_ != nullptr && end == rocks::LogEnd::kTorn) return {};
    Found(options_.directory + "/rocksdb",
          rocks_ != nullptr ? damage : fmt::format("{}; meta and pages could not be read", worse));
    return {};
  }

  // Sets rocks_, or returns what is damaged.
  Result<std::string> TryOpen(bool strict_log) {
    auto opened = rocks::RocksStore::Open({.directory = options_.directory + "/rocksdb",
                                           .file_system = nullptr,
                                           .cache_bytes = kCacheBytes,
                                           .read_only = true,
                                           .strict_log = strict_log,
                                           .past_damage = !strict_log,
                                           .on_error = {}});
    if (!opened.ok()) {
      // A flipped bit in the name of a file is, for RocksDB, a file that is not there.
      const ErrorCode code = opened.error().code;
      if (code != ErrorCode::kCorruption && code != ErrorCode::kIo && code != ErrorCode::kNotFound &&
          code != ErrorCode::kInternal && code != ErrorCode::kUnsupported) {
        return std::move(opened).error();
      }
      return opened.error().message;
    }
    rocks_ = std::move(opened).value();
    return std::string();
  }

  Result<void> CheckMeta() {
    auto read = rocks_->ForEach(rocks::Family::kMeta, "", [&](std::string_view key, std::string_view value) {
      auto checked = CheckRecord(key, value);
      if (checked.ok() || checked.error().code != ErrorCode::kCorruption) return checked;
      Found(fmt::format("meta, {}", key.substr(0, key.find('/'))), checked.error().message);
      return Result<void>();
    });
    if (!read.ok() && read.error().code == ErrorCode::kUnsupported) return read;
    if (!read.ok()) Found("meta", read.error().message);
    if (!checkpoint_sequence_) Found("meta", "there is no store record that can be read");
    for (std::string& what : documents_.Missing()) Found("meta, document", std::move(what));
    for (const meta::EpochRecord& epoch : epochs_) {
      if (!databases_.contains(epoch.database)) {
        Found("meta, epoch", fmt::format("epoch {} belongs to database {}, which meta does not have", epoch.epoch,
                                         model::Number(epoch.database)));
      }
    }
    return {};
  }

  Result<void> CheckRecord(std::string_view key, std::string_view value) {
    if (key == rocks::kStoreKey) {
      TM_TRY_ASSIGN(const meta::StoreRecord record, meta::DecodeStoreRecord(value));
      checkpoint_sequence_ = record.checkpoint_sequence;
      next_database_ = record.next_database;
    } else if (key.starts_with(rocks::kDatabasePrefix)) {
      TM_TRY_ASSIGN(meta::DatabaseRecord record, meta::DecodeDatabaseRecord(value));
      databases_.emplace(record.id, std::move(record));
    } else if (key.starts_with(rocks::kEpochPrefix)) {
      TM_TRY_ASSIGN(const meta::EpochRecord record, meta::DecodeEpochRecord(value));
      epochs_.push_back(record);
    } else if (key.starts_with(rocks::kMaskPrefix)) {
      TM_TRY_ASSIGN(const meta::MaskRecord record, meta::DecodeMaskRecord(value));
      TM_RETURN_IF_ERROR(meta::DecodeMaskSpec(record.spec));
    }
    return documents_.See(key, value);
  }

  void CheckDatabase(const meta::DatabaseRecord& database) {
    ++report_.databases;
    auto index = rescue::LoadSavedIndex(*rocks_, database);
    if (!index.ok()) Found(fmt::format("the index of database {}", database.name), index.error().message);
    for (const meta::EpochRecord& record : epochs_) {
      if (record.database == database.id) CheckEpoch(record, database.name, index.ok() ? index->get() : nullptr);
    }
  }

  void CheckEpoch(const meta::EpochRecord& record, const std::string& database, const index::Index* index) {
    ++report_.epochs;
    const partition::Epoch epoch(record, rocks_, std::make_shared<rocks::Graveyard>());
    const uint64_t before = report_.damages;
    const auto directory = epoch.Directory();
    if (!directory.ok()) {
      Found(rescue::NameOf(record, database), directory.error().message);
    } else {
      if (const auto list = rescue::DamageOfList(epoch, database)) Found(list->place, list->what);
      const std::vector<partition::PageInfo>& pages = (*directory)->pages();
      for (size_t i = 0; i < pages.size(); ++i) {
        ++report_.pages;
        report_.page_bytes += pages[i].bytes;
        const auto checked = rescue::CheckPage(epoch, i);
        if (!checked.ok()) {
          Found(fmt::format("{}, {}, {}", rescue::NameOf(record, database), rescue::NameOf(pages[i], index),
                            epoch.Name(i)),
                checked.error().message);
        }
        if (report_.pages % kPagesPerProgress == 0) Progress(fmt::format("{} pages", report_.pages));
      }
    }
    if (directory.ok() && index != nullptr) CheckNames(record, database, **directory, index->Stats());
    if (const auto series = epoch.Series(); !series.ok())
      Found(rescue::NameOf(record, database), series.error().message);
    if (report_.damages > before) damaged_epochs_.emplace(record.database, record.epoch);
  }

  // That every id that it has rows under has a name.
  void CheckNames(const meta::EpochRecord& record, const std::string& database,
                  const partition::PageDirectory& directory, const index::IndexStats& names) {
    uint32_t fields = 0;
    uint32_t series = 0;
    for (const partition::PageInfo& page : directory.pages()) {
      if (model::Number(page.field) == 0) continue;  // times
      fields = std::max(fields, model::Number(page.field));
      series = std::max(series, model::Number(page.last_series));
    }
    if (fields <= names.fields && series <= names.series) return;
    Found(rescue::NameOf(record, database),
          fmt::format("it has rows up to series {} and field {}, and there are names of {} series and {} fields",
                      series, fields, names.series, names.fields));
  }

  // Beside the pages: blocks of files that hold no page, and records that an iterator would pass over in silence.
  Result<void> CheckFiles() {
    std::set<std::pair<model::DatabaseId, uint64_t>> live;
    for (const meta::EpochRecord& epoch : epochs_) live.emplace(epoch.database, epoch.epoch);
    return rocks_->CheckFiles([&](const rocks::DataFile& file, const Result<void>& checked) {
      ++report_.files;
      if (report_.files % 100 == 0) Progress(fmt::format("{} files of RocksDB", report_.files));
      if (checked.ok()) return;
      if (file.pages) {
        const auto key = rocks::DecodePageKey(file.smallest);
        // What no epoch names is not read, and goes at the next start; what its pages said need not be said again.
        if (key.ok() &&
            (!live.contains({key->database, key->epoch}) || damaged_epochs_.contains({key->database, key->epoch}))) {
          return;
        }
      }
      Found(options_.directory + "/rocksdb" + file.name, checked.error().message);
    });
  }

  [[nodiscard]] check::MetaMark MarkOfMeta() const {
    check::MetaMark mark;
    mark.checkpoint_sequence = checkpoint_sequence_;
    if (rocks_ == nullptr) return mark;
    mark.rocks_sequence = rocks_->LatestSequence();
    std::vector<meta::EpochId> epochs;
    for (const meta::EpochRecord& epoch : epochs_) epochs.emplace_back(epoch.database, epoch.epoch);
    mark.epochs_hash = meta::HashOfEpochs(std::move(epochs));
    return mark;
  }

  Result<void> CheckJournalRecords() {
    Progress("the journal");
    const std::optional<uint64_t> first =
        checkpoint_sequence_ ? std::optional<uint64_t>(*checkpoint_sequence_ + 1) : std::nullopt;
    const journal::RecordFn check_payload = check::JournalPayloadCheck();
    std::optional<Error> stray;
    const auto check_record = [&](uint64_t sequence, std::string_view bytes) -> Result<void> {
      TM_RETURN_IF_ERROR(check_payload(sequence, bytes));
      TM_TRY_ASSIGN(const database::JournalRecord record, database::DecodeRecord(bytes));
      const uint32_t id = model::Number(record.database);
      // The journal is whole then, and meta is not.
      if (first && id != 0 && id >= next_database_ && !stray)
        stray = database::UnknownDatabase(sequence, record.database);
      return {};
    };
    rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
    TM_TRY_ASSIGN(const check::JournalProof proof,
                  check::ProveJournal(files, options_.directory, MarkOfMeta(), check_record));
    if (stray) Found(options_.directory + "/rocksdb", stray->message);
    report_.segments = proof.check.segments;
    report_.records = proof.check.records;
    for (model::Finding finding : proof.findings) {
      const std::string place = std::exchange(finding.place, {});
      Found(place, model::Describe(finding));
    }
    TM_TRY_ASSIGN(const std::vector<model::Finding> accepted, watermark::ReadAcceptedLosses(files, options_.directory));
    for (const model::Finding& finding : accepted) {
      if (!finding.accepted) Found(finding.place, finding.what);
      if (finding.accepted && options_.on_accepted) options_.on_accepted(model::Describe(finding));
    }
    return {};
  }

  const VerifyOptions& options_;
  VerifyReport report_;
  std::shared_ptr<rocks::RocksStore> rocks_;
  std::optional<uint64_t> checkpoint_sequence_;
  uint32_t next_database_ = 0;  // of the store record
  std::map<model::DatabaseId, meta::DatabaseRecord> databases_;
  std::vector<meta::EpochRecord> epochs_;
  documents::DocumentCheck documents_;
  std::set<std::pair<model::DatabaseId, uint64_t>> damaged_epochs_;
};

}  // namespace

Result<VerifyReport> Verify(const VerifyOptions& options) { return Verifier(options).Run(); }

}  // namespace tidemark::storage
