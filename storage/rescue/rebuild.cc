#include "storage/rescue/rebuild.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "storage/base/text/instant.h"
#include "storage/meta/meta_records.h"
#include "storage/rescue/readable_pages.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/store_lock.h"

namespace tidemark::storage::rescue {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBatchBytes = uint64_t{1} << 20;

// While it is made, and once it is whole: so a name says whether it may take the place of the other.
std::string UnfinishedPath(const std::string& directory) { return directory + "/rocksdb.unfinished"; }
std::string FinishedPath(const std::string& directory) { return directory + "/rocksdb.new"; }
std::string LinkFolder(const std::string& directory) { return directory + "/staging/rescue"; }

Result<void> ToResult(const std::error_code& error, const std::string& what) {
  if (!error) return {};
  return error == std::errc::no_space_on_device
             ? MakeError(ErrorCode::kResourceExhausted, what + ": " + error.message())
             : IoError(what + ": " + error.message());
}

Result<void> MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return ToResult(error, "creating " + path);
}

Result<void> Remove(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return ToResult(error, "deleting " + path);
}

// Hands records on in batches, each of them durable.
Result<void> CopyRecords(const rocks::RocksStore& from, rocks::Family family, rocks::RocksStore* to) {
  rocks::RecordBatch batch;
  uint64_t bytes = 0;
  const auto copied = from.ForEach(family, "", [&](std::string_view key, std::string_view value) -> Result<void> {
    if (IsSeed(key)) return {};
    batch.Put(family, std::string(key), std::string(value));
    bytes += key.size() + value.size();
    if (bytes < kBatchBytes) return {};
    TM_RETURN_IF_ERROR(to->Write(batch));
    batch = {};
    bytes = 0;
    return {};
  });
  if (!copied.ok()) return copied;
  return to->Write(batch);
}

// Takes in the table of one epoch under a second name: the first stays where it is.
Result<void> TakeIn(const PageTable& table, const std::string& folder, rocks::RocksStore* rocks) {
  const std::string link = fmt::format("{}/{}", folder, rocks::StagingName(table.sight.epoch));
  std::error_code error;
  fs::create_hard_link(table.path, link, error);
  if (error) {
    error.clear();
    fs::copy_file(table.path, link, error);
  }
  TM_RETURN_IF_ERROR(ToResult(error, "linking " + table.path));
  return rocks->Ingest({link});
}

using EpochId = std::pair<model::DatabaseId, uint64_t>;

// `path`: of its file; "" where its pages are values of `meta`.
Result<void> TakeInWhatIsLeft(const EpochId& id, const std::string& path, const std::string& folder, Salvage* salvage,
                              rocks::RocksStore* rocks) {
  TM_TRY_ASSIGN(const meta::EpochRecord record, RecordOf(*salvage, id.first, id.second));
  return TakeInReadable(record, PlaceOf(*salvage, record, path), folder, salvage, rocks);
}

// Of an epoch that could not be taken in nothing is left; a full disk is another matter.
Result<void> GiveUpUnless(Result<void> taken, const EpochId& id, const std::string& place, Salvage* salvage,
                          rocks::RocksStore* rocks) {
  if (taken.ok() || taken.error().code == ErrorCode::kResourceExhausted) return taken;
  model::Finding finding{.area = model::FindingArea::kPages, .place = place};
  finding.what = "its pages cannot be taken in: " + taken.error().message;
  finding.loss = model::Loss{};
  if (const auto record = RecordOf(*salvage, id.first, id.second); record.ok()) {
    finding.what += fmt::format("; {} values from {} to {} are given up", record->rows,
                                text::PrintSecond(record->range.first.ns), text::PrintSecond(record->range.last.ns));
    finding.loss->rows = record->rows;
  }
  salvage->findings.push_back(std::move(finding));
  rocks::RecordBatch drop;
  drop.Delete(rocks::Family::kMeta, rocks::EpochMetaKey(id.first, id.second));
  return rocks->Write(drop);
}

Result<void> Fill(const std::string& directory, Salvage* salvage, rocks::RocksStore* rocks) {
  TM_RETURN_IF_ERROR(CopyRecords(*salvage->rocks, rocks::Family::kIndex, rocks));
  TM_RETURN_IF_ERROR(CopyRecords(*salvage->rocks, rocks::Family::kMeta, rocks));
  TM_RETURN_IF_ERROR(Remove(LinkFolder(directory)));
  TM_RETURN_IF_ERROR(MakeFolder(LinkFolder(directory)));
  for (const PageTable& table : salvage->pages) {
    const EpochId id{table.sight.database, table.sight.epoch};
    const bool whole = table.sight.ends_readable && !salvage->damaged.contains(id);
    TM_RETURN_IF_ERROR(GiveUpUnless(whole ? TakeIn(table, LinkFolder(directory), rocks)
                                          : TakeInWhatIsLeft(id, table.path, LinkFolder(directory), salvage, rocks),
                                    id, table.path, salvage, rocks));
  }
  for (const EpochId& id : salvage->damaged) {
    const auto record = RecordOf(*salvage, id.first, id.second);
    if (!record.ok() || !record->in_meta) continue;
    TM_RETURN_IF_ERROR(GiveUpUnless(TakeInWhatIsLeft(id, {}, LinkFolder(directory), salvage, rocks), id,
                                    PlaceOf(*salvage, *record, {}), salvage, rocks));
  }
  TM_RETURN_IF_ERROR(Remove(LinkFolder(directory)));
  return rocks->Flush();
}

}  // namespace

Result<bool> FinishExchange(const std::string& directory) {
  // One that was made of what is still there is made anew.
  const auto waits = [&] {
    std::error_code error;
    return fs::exists(FinishedPath(directory), error) && !fs::exists(directory + "/rocksdb", error);
  };
  if (!waits()) return false;
  TM_TRY_ASSIGN(const std::unique_ptr<rocks::StoreLock> lock, rocks::StoreLock::TakeNew(directory));
  // Somebody else may have been at it.
  if (!waits()) return false;
  TM_RETURN_IF_ERROR(
      rocks::RenameDurably(rocksdb::FileSystem::Default().get(), FinishedPath(directory), directory + "/rocksdb"));
  return true;
}

Result<void> Rebuild(const std::string& directory, const std::string& aside, Salvage* salvage) {
  rocksdb::FileSystem* const files = rocksdb::FileSystem::Default().get();
  TM_RETURN_IF_ERROR(Remove(UnfinishedPath(directory)));
  TM_RETURN_IF_ERROR(Remove(FinishedPath(directory)));
  TM_RETURN_IF_ERROR(MakeFolder(UnfinishedPath(directory)));
  {
    TM_TRY_ASSIGN(
        const auto rocks,
        rocks::RocksStore::Open(
            {.directory = UnfinishedPath(directory), .file_system = nullptr, .create = true, .on_error = {}}));
    auto filled = Fill(directory, salvage, rocks.get());
    rocks->Close();
    TM_RETURN_IF_ERROR(std::move(filled));
  }
  TM_RETURN_IF_ERROR(rocks::RenameDurably(files, UnfinishedPath(directory), FinishedPath(directory)));
  TM_RETURN_IF_ERROR(MakeFolder(aside));
  std::error_code error;
  if (fs::exists(directory + "/rocksdb", error)) {
    TM_RETURN_IF_ERROR(rocks::RenameDurably(files, directory + "/rocksdb", aside + "/rocksdb"));
  }
  return rocks::RenameDurably(files, FinishedPath(directory), directory + "/rocksdb");
}

}  // namespace tidemark::storage::rescue
