#include "storage/rescue/complete_names.h"

#include <fmt/core.h>

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "storage/copy/copies.h"
#include "storage/index/name_mender.h"
#include "storage/journal/batch_record.h"
#include "storage/meta/meta_records.h"
#include "storage/page/page_format.h"
#include "storage/partition/epoch.h"
#include "storage/rescue/journal_records.h"

namespace tidemark::storage::rescue {
namespace {

using rocks::Family;

std::string Count(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

class Completer {
 public:
  Completer(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& directory, Salvage* salvage)
      : files_(files), directory_(directory), salvage_(*salvage), rocks_(salvage->rocks) {}

  Result<bool> Run() {
    TM_RETURN_IF_ERROR(ReadSavedNames());
    TM_RETURN_IF_ERROR(ReadCopies());
    TM_RETURN_IF_ERROR(ReadJournal());
    TM_RETURN_IF_ERROR(ReadEpochs());
    for (auto& [id, database] : databases_) TM_RETURN_IF_ERROR(Complete(id, &database));
    return copied_;
  }

 private:
  struct Database {
    std::string name;
    index::NameMender names;
  };

  Result<void> ReadSavedNames() {
    TM_RETURN_IF_ERROR(rocks_->ForEach(Family::kMeta, rocks::kDatabasePrefix,
                                       [this](std::string_view, std::string_view value) -> Result<void> {
                                         TM_TRY_ASSIGN(const auto record, meta::DecodeDatabaseRecord(value));
                                         databases_[record.id].name = record.name;
                                         return {};
                                       }));
    for (auto& [id, database] : databases_) {
      const auto add = [&names = database.names](std::string_view key, std::string_view value) {
        names.AddEntry(key.substr(rocks::kIndexKeyPrefixBytes), value);
        return Result<void>();
      };
      TM_RETURN_IF_ERROR(rocks_->ForEach(Family::kIndex, rocks::IndexKey(id, {}), add));
    }
    return {};
  }

  // After the saved names: of what is known already nothing changes.
  Result<void> ReadCopies() {
    TM_TRY_ASSIGN(const std::optional<copy::MetaCopy> meta, copy::ReadMetaCopy(files_.get(), directory_));
    TM_TRY_ASSIGN(const auto value, rocks_->Get(Family::kMeta, rocks::kStoreKey));
    if (value && meta) {
      TM_TRY_ASSIGN(const meta::StoreRecord store, meta::DecodeStoreRecord(*value));
      copied_ = meta->head.checkpoint_sequence == store.checkpoint_sequence;
    }
    for (auto& [id, database] : databases_) {
      // Without copy/meta all of a file may be true, and what is known already wins.
      const auto file = meta ? meta->head.names.find(id) : decltype(meta->head.names.find(id)){};
      const bool listed = meta && file != meta->head.names.end();
      const uint64_t limit = listed ? file->second.bytes : std::numeric_limits<uint64_t>::max();
      const auto whole = copy::ReadRecordFile(files_.get(), copy::NamesPath(directory_, id), limit,
                                              [&names = database.names](std::string_view key, std::string_view entry) {
                                                names.AddEntry(key, entry);
                                                return Result<void>();
                                              });
      if (!whole.ok() && whole.error().code != ErrorCode::kNotFound && whole.error().code != ErrorCode::kCorruption &&
          whole.error().code != ErrorCode::kIo) {
        return whole.error();
      }
      copied_ = copied_ && listed && whole.ok() && *whole == limit;
    }
    return {};
  }

  // Only what a start replays: what an older record defines may never have been acknowledged, and its ids be something
  // else's now.
  Result<void> ReadJournal() {
    TM_TRY_ASSIGN(const auto value, rocks_->Get(Family::kMeta, rocks::kStoreKey));
    if (!value) return {};
    TM_TRY_ASSIGN(const meta::StoreRecord store, meta::DecodeStoreRecord(*value));
    journal::DecodedBatch batch;
    const auto read = [&](const database::JournalRecord& record) -> Result<void> {
      const auto found = databases_.find(record.database);
      if (found == databases_.end()) return {};
      index::NameMender& names = found->second.names;
      names.AddDefinitions(record.definitions);
      if (record.batch.empty()) return {};
      TM_RETURN_IF_ERROR(journal::DecodeBatch(record.batch, &batch));
      for (const model::ResolvedShape& shape : batch.shapes) {
        for (const model::ResolvedField& field : shape.fields) {
          names.NoteField(shape.measurement, field.id);
          names.NoteType(field.id, field.type);
        }
      }
      for (const model::ResolvedRow& row : batch.rows) names.NoteRow(batch.shapes[row.shape].measurement, row.series);
      return {};
    };
    return ForEachJournalRecord(files_.get(), directory_, store.checkpoint_sequence + 1, read);
  }

  Result<void> ReadEpochs() {
    return rocks_->ForEach(Family::kMeta, rocks::kEpochPrefix,
                           [this](std::string_view, std::string_view value) -> Result<void> {
                             TM_TRY_ASSIGN(const meta::EpochRecord record, meta::DecodeEpochRecord(value));
                             const auto found = databases_.find(record.database);
                             if (found != databases_.end()) ReadEpoch(record, &found->second.names);
                             return {};
                           });
  }

  // An epoch whose directory cannot be read has no row that anybody could see.
  void ReadEpoch(const meta::EpochRecord& record, index::NameMender* names) {
    const partition::Epoch epoch(record, rocks_, std::make_shared<rocks::Graveyard>());
    const auto directory = epoch.Directory();
    if (!directory.ok()) return;
    const auto listed = epoch.Series();
    std::set<model::FieldId> told;  // with their series, by the list
    const std::vector<partition::PageInfo>& pages = (*directory)->pages();
    for (size_t i = 0; i < pages.size(); ++i) {
      const partition::PageInfo& page = pages[i];
      if (model::Number(page.field) == 0) continue;  // times
      if (!names->NoteField(page.measurement, page.field)) NoteType(epoch, i, names);
      const auto runs =
          listed.ok() && *listed != nullptr ? (*listed)->RunsOf(page.field) : std::span<const partition::SeriesRun>();
      if (runs.empty()) names->NoteSeries(page.field, page.first_series, page.last_series);
      if (runs.empty() || !told.insert(page.field).second) continue;
      for (const partition::SeriesRun& run : runs) {
        names->NoteSeries(page.field, model::SeriesId{run.first}, model::SeriesId{run.last});
      }
    }
  }

  static void NoteType(const partition::Epoch& epoch, size_t page, index::NameMender* names) {
    const auto bytes = epoch.Read(page);
    if (!bytes.ok()) return;
    const auto parsed = page::ParsePage(bytes->bytes, page::Checksum::kVerify);
    if (parsed.ok()) names->NoteType(parsed->header.field, parsed->header.type);
  }

  Result<void> Complete(model::DatabaseId id, Database* database) {
    index::MendedNames mended = database->names.Finish();
    if (mended.any()) {
      salvage_.names_lost = true;
      model::Finding finding{.area = model::FindingArea::kIndex};
      finding.place = fmt::format("database {}", database->name);
      finding.what = fmt::format(
          "the names of {}, {} and {} are lost; no row is missing by that, but what had them is shown under names that "
          "were made up, such as unknown{{id=\"7\"}}",
          Count(mended.series, "series", "series"), Count(mended.fields, "field", "fields"),
          Count(mended.measurements, "measurement", "measurements"));
      salvage_.findings.push_back(std::move(finding));
    }
    rocks::RecordBatch changes;
    for (auto& [key, value] : mended.entries) {
      std::string whole_key = rocks::IndexKey(id, key);
      TM_TRY_ASSIGN(const auto there, rocks_->Get(Family::kIndex, whole_key));
      if (there != value) changes.Put(Family::kIndex, std::move(whole_key), std::move(value));
    }
    return rocks_->Write(changes);
  }

  const std::shared_ptr<rocksdb::FileSystem>& files_;
  const std::string& directory_;
  Salvage& salvage_;
  const std::shared_ptr<rocks::RocksStore> rocks_;
  std::map<model::DatabaseId, Database> databases_;
  bool copied_ = false;  // whether the copies have every name up to the checkpoint
};

}  // namespace

Result<bool> CompleteNames(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& directory,
                           Salvage* salvage) {
  return Completer(files, directory, salvage).Run();
}

}  // namespace tidemark::storage::rescue
