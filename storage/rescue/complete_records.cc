#include "storage/rescue/complete_records.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/copy/copies.h"
#include "storage/documents/document_check.h"
#include "storage/meta/meta_records.h"
#include "storage/partition/page_directory.h"
#include "storage/rescue/journal_records.h"

namespace tidemark::storage::rescue {
namespace {

using model::Finding;
using model::FindingArea;
using rocks::Family;
using EpochId = std::pair<model::DatabaseId, uint64_t>;

class Completer {
 public:
  Completer(const TablesFound& found, Salvage* salvage) : found_(found), salvage_(*salvage), rocks_(*salvage->rocks) {}

  Result<void> Run() {
    TM_RETURN_IF_ERROR(ReadRecords());
    for (const PageTable& table : found_.tables) {
      tables_.emplace(EpochId{table.sight.database, table.sight.epoch}, &table);
    }
    if (!found_.whole) TM_RETURN_IF_ERROR(FillFromCopy());
    TM_RETURN_IF_ERROR(CheckEpochs());
    if (!found_.whole) TM_RETURN_IF_ERROR(AdoptTables());
    TM_RETURN_IF_ERROR(CompleteCheckpoint());
    if (!found_.whole) TM_RETURN_IF_ERROR(ReadJournal());
    NameDatabases();
    CompleteStore();
    for (const auto& [id, _] : epochs_) {
      if (const auto table = tables_.find(id); table != tables_.end()) salvage_.pages.push_back(*table->second);
    }
    return rocks_.Write(changes_);
  }

 private:
  void Tell(FindingArea area, std::string place, std::string what, bool lost) {
    Finding finding{.area = area, .place = std::move(place), .what = std::move(what)};
    if (lost) finding.loss = model::Loss{};
    salvage_.findings.push_back(std::move(finding));
  }

  // Decodes every record; one that cannot be read is left out.
  Result<void> ReadRecords() {
    return rocks_.ForEach(Family::kMeta, "", [this](std::string_view key, std::string_view value) -> Result<void> {
      auto read = ReadRecord(key, value);
      if (read.ok() || read.error().code != ErrorCode::kCorruption) return read;
      Tell(FindingArea::kMeta, std::string(key.substr(0, key.find('/'))), read.error().message, /*lost=*/true);
      changes_.Delete(Family::kMeta, std::string(key));
      unreadable_.emplace(key);
      return {};
    });
  }

  Result<void> ReadRecord(std::string_view key, std::string_view value) {
    if (key == rocks::kStoreKey) {
      TM_TRY_ASSIGN(store_, meta::DecodeStoreRecord(value));
    } else if (key.starts_with(rocks::kDatabasePrefix)) {
      TM_TRY_ASSIGN(meta::DatabaseRecord record, meta::DecodeDatabaseRecord(value));
      databases_.emplace(record.id, record.name);
    } else if (key.starts_with(rocks::kEpochPrefix)) {
      TM_TRY_ASSIGN(const meta::EpochRecord record, meta::DecodeEpochRecord(value));
      epochs_.emplace(EpochId{record.database, record.epoch}, record);
    } else if (key.starts_with(rocks::kMaskPrefix)) {
      TM_TRY_ASSIGN(const meta::MaskRecord record, meta::DecodeMaskRecord(value));
      masked_.insert(record.database);
    }
    return documents_.See(key, value);
  }

  // Records that are in the copy and not here. What was changed since the last checkpoint is not in it: a database that
  // was dropped in the last moments may return.
  Result<void> FillFromCopy() {
    TM_TRY_ASSIGN(const std::optional<copy::MetaCopy> copy, copy::ReadMetaCopy(found_.files, found_.directory));
    if (!copy) return {};
    uint64_t filled = 0;
    for (const auto& [key, value] : copy->records) {
      TM_TRY_ASSIGN(const auto there, rocks_.Get(Family::kMeta, key));
      if (there && !unreadable_.contains(key)) continue;
      if (key == rocks::kStoreKey) {
        TM_TRY_ASSIGN(copied_store_, meta::DecodeStoreRecord(value));
        continue;
      }
      if (key.starts_with(rocks::kEpochPrefix)) {
        // One whose pages are gone was folded away, or dropped.
        const auto epoch = meta::DecodeEpochRecord(value);
        if (!epoch.ok() || (!epoch->in_meta && !tables_.contains(EpochId{epoch->database, epoch->epoch}))) continue;
        if (epoch->in_meta) {
          TM_TRY_ASSIGN(const auto pages, rocks_.Get(Family::kMeta, rocks::PageMetaKey(DirectoryKey(*epoch))));
          if (!pages) continue;
        }
      }
      if (auto read = ReadRecord(key, value); !read.ok()) {
        if (read.error().code != ErrorCode::kCorruption) return read;
        continue;
      }
      changes_.Put(Family::kMeta, key, value);
      ++filled;
    }
    if (filled == 0) return {};
    Tell(FindingArea::kMeta, copy::MetaPath(found_.directory),
         fmt::format("{} records that are lost in RocksDB are taken from it, as they were at the last checkpoint",
                     filled),
         /*lost=*/false);
    return {};
  }

  [[nodiscard]] std::string NameOf(model::DatabaseId id) const {
    const auto found = databases_.find(id);
    return found != databases_.end() ? found->second : fmt::format("recovered-{}", model::Number(id));
  }

  static rocks::PageKey DirectoryKey(const meta::EpochRecord& epoch) {
    return {epoch.database, epoch.partition_start_ns, epoch.epoch, rocks::kDirectoryTier, {}, {}, {}, 0};
  }

  // Epochs whose pages are gone go too.
  Result<void> CheckEpochs() {
    for (auto at = epochs_.begin(); at != epochs_.end();) {
      const meta::EpochRecord& epoch = at->second;
      bool there = tables_.contains(at->first);
      if (epoch.in_meta) {
        TM_TRY_ASSIGN(const auto directory, rocks_.Get(Family::kMeta, rocks::PageMetaKey(DirectoryKey(epoch))));
        there = directory.has_value();
      }
      if (there) {
        ++at;
        continue;
      }
      Tell(FindingArea::kPages, fmt::format("epoch {}", epoch.epoch),
           fmt::format("its pages are gone: {} values of database {} from {} to {}", epoch.rows, NameOf(epoch.database),
                       text::PrintSecond(epoch.range.first.ns), text::PrintSecond(epoch.range.last.ns)),
           /*lost=*/true);
      changes_.Delete(Family::kMeta, rocks::EpochMetaKey(epoch.database, epoch.epoch));
      at = epochs_.erase(at);
    }
    return {};
  }

  // Where pages lie in time, and when they were written.
  struct Span {
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    uint64_t epoch = 0;
    // Whether the partition of this one is longer than that of `other` and holds it.
    [[nodiscard]] bool Holds(const Span& other) const {
      return first_ns <= other.first_ns && other.last_ns <= last_ns &&
             last_ns - first_ns > other.last_ns - other.first_ns;
    }
  };
  template <typename Pages>
  static Span SpanOf(const Pages& pages) {
    return {pages.partition_start_ns, pages.partition_start_ns + (pages.partition_ns - 1), pages.epoch};
  }

  // Partitions do not overlap, but what a merge has made of several may lie beside them: until they are deleted, or
  // because rows came to them meanwhile and it was given up. Ids of those that must go.
  [[nodiscard]] std::set<EpochId> Superfluous() const {
    std::map<model::DatabaseId, std::vector<Span>> all;
    for (const auto& [id, epoch] : epochs_) all[id.first].push_back(SpanOf(epoch));
    for (const auto& [id, table] : tables_) {
      if (!epochs_.contains(id)) all[id.first].push_back(SpanOf(table->sight));
    }
    std::set<EpochId> out;
    for (const auto& [database, spans] : all) {
      std::vector<Span> merged;
      for (const Span& span : spans) {
        const auto newer = [&](const Span& part) { return span.Holds(part) && part.epoch > span.epoch; };
        if (std::any_of(spans.begin(), spans.end(), [&](const Span& part) { return span.Holds(part); }) &&
            std::none_of(spans.begin(), spans.end(), newer)) {
          merged.push_back(span);
        } else if (std::any_of(spans.begin(), spans.end(), newer)) {
          out.emplace(database, span.epoch);  // given up
        }
      }
      for (const Span& span : spans) {
        if (std::any_of(merged.begin(), merged.end(), [&](const Span& whole) { return whole.Holds(span); })) {
          out.emplace(database, span.epoch);
        }
      }
    }
    return out;
  }

  // Tables that no record names: the record may be what was lost.
  Result<void> AdoptTables() {
    const std::set<EpochId> superfluous = Superfluous();
    for (const EpochId& id : superfluous) {
      if (epochs_.erase(id) != 0) changes_.Delete(Family::kMeta, rocks::EpochMetaKey(id.first, id.second));
    }
    for (const auto& [id, table] : tables_) {
      if (epochs_.contains(id) || superfluous.contains(id)) continue;
      const rocks::TableSight& sight = table->sight;
      meta::EpochRecord epoch;
      epoch.database = sight.database;
      epoch.partition_start_ns = sight.partition_start_ns;
      epoch.partition_ns = sight.partition_ns;
      epoch.epoch = sight.epoch;
      epoch.precedence = sight.precedence;
      const auto bytes = rocks_.GetPage(Family::kData, rocks::EncodePageKey(DirectoryKey(epoch)));
      const auto directory =
          bytes.ok() ? partition::PageDirectory::Decode(bytes->bytes) : Result<partition::PageDirectory>(bytes.error());
      if (!directory.ok()) {
        Tell(FindingArea::kPages, table->path, "its list of pages cannot be read: " + directory.error().message, true);
        continue;
      }
      epoch.pages = directory->pages().size();
      epoch.bytes = sight.bytes;
      epoch.rows = directory->rows();
      epoch.tiers_only = epoch.rows == 0;
      epoch.range = directory->range();
      if (epoch.tiers_only) {
        epoch.range = {{epoch.partition_start_ns}, {epoch.partition_start_ns + (epoch.partition_ns - 1)}};
      }
      Tell(FindingArea::kMeta, table->path,
           fmt::format(
               "no record names it; its {} values of database {} are taken in again, and with them some that were "
               "deleted may be shown",
               epoch.rows, NameOf(epoch.database)),
           /*lost=*/false);
      changes_.Put(Family::kMeta, rocks::EpochMetaKey(epoch.database, epoch.epoch), meta::Encode(epoch));
      epochs_.emplace(id, epoch);
    }
    return {};
  }

  // What neither meta nor its copy tells begins with the journal.
  Result<void> CompleteCheckpoint() {
    if (store_) {
      checkpoint_sequence_ = store_->checkpoint_sequence;
      return {};
    }
    TM_TRY_ASSIGN(const uint64_t first, FirstJournalSequence(found_.files, found_.directory));
    checkpoint_sequence_ = first > 0 ? first - 1 : 0;
    if (copied_store_) checkpoint_sequence_ = std::max(checkpoint_sequence_, copied_store_->checkpoint_sequence);
    return {};
  }

  // Databases that have nothing but rows in the journal. One that was dropped a moment ago may be among them.
  Result<void> ReadJournal() {
    return ForEachJournalRecord(found_.files, found_.directory, checkpoint_sequence_ + 1,
                                [this](const database::JournalRecord& record) {
                                  journaled_.insert(record.database);
                                  return Result<void>();
                                });
  }

  void NameDatabases() {
    std::map<model::DatabaseId, int64_t> needed;  // with the length of a partition
    for (const auto& [id, epoch] : epochs_) needed[id.first] = epoch.partition_ns;
    for (const auto& ids : {masked_, journaled_}) {
      for (const model::DatabaseId id : ids) needed.try_emplace(id, DatabaseOptions{}.partition_ns);
    }
    for (const auto& [id, partition_ns] : needed) {
      if (databases_.contains(id)) continue;
      meta::DatabaseRecord record{id, fmt::format("recovered-{}", model::Number(id)), {}};
      record.options.partition_ns = partition_ns;
      Tell(FindingArea::kMeta, fmt::format("database {}", model::Number(id)),
           fmt::format("its name and its options are lost: it is \"{}\" now", record.name), /*lost=*/true);
      changes_.Put(Family::kMeta, rocks::DatabaseMetaKey(id), meta::Encode(record));
      databases_.emplace(id, record.name);
    }
  }

  // Numbers are never given out twice, also those of what is gone.
  void CompleteStore() {
    meta::StoreRecord store = store_ ? *store_ : copied_store_.value_or(meta::StoreRecord{});
    if (!store_) {
      Tell(FindingArea::kMeta, "store", "the record of the store is lost, and is made anew", /*lost=*/true);
      store.checkpoint_sequence = checkpoint_sequence_;
      // Nothing says which it had: programs that may not read all of it refuse it.
      store.format_version = meta::kNewestFormatVersion;
    }
    for (const auto& [id, _] : databases_) store.next_database = std::max(store.next_database, model::Number(id) + 1);
    for (const auto& [id, _] : epochs_) store.next_epoch = std::max(store.next_epoch, id.second + 1);
    for (const auto& [id, _] : tables_) store.next_epoch = std::max(store.next_epoch, id.second + 1);
    if (!store_ || !(store == *store_)) {
      changes_.Put(Family::kMeta, std::string(rocks::kStoreKey), meta::Encode(store));
    }
  }

  const TablesFound& found_;
  Salvage& salvage_;
  rocks::RocksStore& rocks_;
  rocks::RecordBatch changes_;
  std::map<EpochId, const PageTable*> tables_;
  std::optional<meta::StoreRecord> store_;
  std::optional<meta::StoreRecord> copied_store_;  // where there is no other: of the last checkpoint that was copied
  std::map<model::DatabaseId, std::string> databases_;
  std::map<EpochId, meta::EpochRecord> epochs_;
  std::set<std::string, std::less<>> unreadable_;  // keys
  std::set<model::DatabaseId> masked_;
  std::set<model::DatabaseId> journaled_;
  uint64_t checkpoint_sequence_ = 0;
  documents::DocumentCheck documents_;
};

}  // namespace

Result<void> CompleteRecords(const TablesFound& found, Salvage* salvage) { return Completer(found, salvage).Run(); }

}  // namespace tidemark::storage::rescue
