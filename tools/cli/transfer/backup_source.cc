#include "tools/cli/transfer/backup_source.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "storage/backup.h"
#include "storage/storage.h"
#include "tools/cli/transfer/view_pieces.h"

namespace tidemark::cli {
namespace {

Result<std::unique_ptr<storage::Store>> OpenStore(const std::string& folder) {
  storage::StoreOptions options;
  options.directory = folder;
  options.background = false;
  return storage::Store::Open(std::move(options));
}

class StoreReader final : public PieceReader {
 public:
  static Result<std::unique_ptr<PieceReader>> Open(const std::string& folder, const std::string& database) {
    TM_TRY_ASSIGN(std::unique_ptr<storage::Store> store, OpenStore(folder));
    TM_TRY_ASSIGN(const std::shared_ptr<const storage::View> view, store->OpenView(database));
    TM_TRY_ASSIGN(std::unique_ptr<ViewPieces> pieces, ViewPieces::Open(view, {}, {}));
    return std::unique_ptr<PieceReader>(new StoreReader(std::move(store), std::move(pieces)));
  }

  Result<bool> Next(transfer::Piece* piece) override {
    TM_TRY_ASSIGN(const bool more, pieces_->Next(piece));
    if (!more) warnings_ = pieces_->Warnings();
    return more;
  }
  [[nodiscard]] Progress progress() const override { return {pieces_->series_done(), pieces_->series()}; }
  [[nodiscard]] std::vector<Skipped> skipped() const override {
    std::vector<Skipped> out;
    for (const std::string& warning : warnings_) out.push_back({"part of the backup: " + warning, 1, false});
    return out;
  }

 private:
  StoreReader(std::unique_ptr<storage::Store> store, std::unique_ptr<ViewPieces> pieces)
      : store_(std::move(store)), pieces_(std::move(pieces)) {}

  const std::unique_ptr<storage::Store> store_;
  const std::unique_ptr<ViewPieces> pieces_;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<std::unique_ptr<BackupSource>> BackupSource::Open(const std::string& from, uint32_t id,
                                                         const std::string& database) {
  std::unique_ptr<BackupSource> source(new BackupSource());
  TM_TRY_ASSIGN(source->scratch_, ScratchFolder::Make(from + ".restore"));
  source->folder_ = source->scratch_->path() + "/store";
  source->database_ = database;
  TM_TRY_ASSIGN(const storage::BackupInfo info, storage::RestoreBackup(from, id, source->folder_));
  source->name_ = fmt::format("backup {} {} {}", info.store_id, info.id, database);
  TM_TRY_ASSIGN(const std::unique_ptr<storage::Store> store, OpenStore(source->folder_));
  if (store->HasDatabase(database)) return source;
  std::string names;
  for (const storage::DatabaseInfo& one : store->Databases()) names += (names.empty() ? "" : ", ") + one.name;
  return NotFound(fmt::format("backup {} has no database \"{}\"; it has {}", info.id, database, names));
}

Result<std::unique_ptr<PieceReader>> BackupSource::Read() const { return StoreReader::Open(folder_, database_); }

}  // namespace tidemark::cli
