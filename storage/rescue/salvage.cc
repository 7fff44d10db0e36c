#include "storage/rescue/salvage.h"

#include <fmt/core.h>
#include <rocksdb/file_system.h>

#include <utility>

#include "storage/rescue/complete_names.h"
#include "storage/rescue/complete_records.h"
#include "storage/rescue/memory_database.h"
#include "storage/rescue/table_entries.h"
#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_log.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rescue {
namespace {

using model::Finding;
using model::FindingArea;
using rocks::TableSight;

class Salvager {
 public:
  explicit Salvager(const SalvageOptions& options)
      : options_(options),
        files_(options.file_system != nullptr ? options.file_system : rocksdb::FileSystem::Default()),
        folder_(options.directory + "/rocksdb"),
        pages_(std::make_shared<rocks::LooseTables>(files_)) {}

  Result<Salvage> Run() {
    whole_ = records_whole_ = !options_.records_lost;
    TM_RETURN_IF_ERROR(LookAtTables());
    TM_RETURN_IF_ERROR(LookAtLogs());
    TM_RETURN_IF_ERROR(PutTogether());
    for (const Damaged& table : damaged_) {
      TM_RETURN_IF_ERROR(FillFromTable(files_, table.path, table.family, out_.rocks.get()));
    }
    TM_RETURN_IF_ERROR(CompleteRecords(
        {.files = files_.get(), .directory = options_.directory, .tables = tables_, .whole = records_whole_}, &out_));
    TM_TRY_ASSIGN(const bool copied, CompleteNames(files_, options_.directory, &out_));
    out_.complete = records_whole_ && copied && !out_.names_lost;
    if (copied) TellOfCopies();
    return std::move(out_);
  }

 private:
  struct Damaged {
    std::string path;
    rocks::Family family;
  };

  // What a damaged table of names lacked is not lost.
  void TellOfCopies() {
    for (Finding& finding : out_.findings) {
      if (finding.area != FindingArea::kIndex || !finding.loss) continue;
      finding.what += "; they were taken from copy/names";
      finding.loss.reset();
    }
  }

  void Lost(FindingArea area, std::string place, std::string what) {
    whole_ = false;
    if (area != FindingArea::kIndex) records_whole_ = false;
    Finding finding{.area = area, .place = std::move(place), .what = std::move(what)};
    finding.loss = model::Loss{};
    out_.findings.push_back(std::move(finding));
  }

  Result<void> LookAtTables() {
    TM_TRY_ASSIGN(const std::vector<std::string> names, rocks::NamesIn(files_.get(), folder_));
    if (names.empty()) Lost(FindingArea::kMeta, folder_, "it is missing, or empty");
    for (const std::string& name : names) {
      if (!name.ends_with(".sst")) continue;
      const std::string path = folder_ + "/" + name;
      const auto sight = rocks::LookAtTable(files_, path, /*whole=*/false);
      if (!sight.ok()) {
        if (sight.error().code != ErrorCode::kCorruption) return sight.error();
        Lost(FindingArea::kPages, path, "it cannot be read, and what it held is not known: " + sight.error().message);
        continue;
      }
      if (sight->kind == TableSight::Kind::kPages) {
        pages_->Add(*sight, path);
        tables_.push_back({*sight, path});
        continue;
      }
      if (sight->kind == TableSight::Kind::kOther) continue;
      const bool names_of_series = sight->kind == TableSight::Kind::kIndex;
      const auto whole = rocks::LookAtTable(files_, path, /*whole=*/true);
      if (whole.ok()) {
        whole_tables_.push_back(name);
        continue;
      }
      Lost(names_of_series ? FindingArea::kIndex : FindingArea::kMeta, path,
           fmt::format("some of the {} in it cannot be read: {}", names_of_series ? "names" : "records",
                       whole.error().message));
      damaged_.push_back({path, names_of_series ? rocks::Family::kIndex : rocks::Family::kMeta});
    }
    return {};
  }

  // Up to the first record that cannot be read, in the order of their numbers: what comes after a gap may build upon
  // what was in it.
  Result<void> LookAtLogs() {
    TM_TRY_ASSIGN(const std::vector<std::string> logs, rocks::LogsIn(files_.get(), folder_));
    for (size_t i = 0; i < logs.size(); ++i) {
      const std::string& path = logs[i];
      std::string bytes;
      TM_RETURN_IF_ERROR(rocks::FromRocks(rocksdb::ReadFileToString(files_.get(), path, &bytes), "reading " + path));
      const rocks::LogEnd end = rocks::ClassifyLog(bytes);
      if (end != rocks::LogEnd::kWhole) bytes.resize(rocks::WholeBytes(bytes));
      logs_.emplace_back(path.substr(folder_.size() + 1), std::move(bytes));
      if (end == rocks::LogEnd::kWhole || (end == rocks::LogEnd::kTorn && i + 1 == logs.size())) continue;
      Lost(FindingArea::kMeta, path,
           fmt::format("it is damaged at byte {}: changes of databases, epochs and documents behind that are lost",
                       logs_.back().second.size()));
      break;
    }
    return {};
  }

  Result<void> PutTogether() {
    TM_TRY_ASSIGN(MemoryDatabase database, MemoryDatabase::Begin());
    for (const std::string& name : whole_tables_) {
      std::string bytes;
      const std::string path = folder_ + "/" + name;
      TM_RETURN_IF_ERROR(rocks::FromRocks(rocksdb::ReadFileToString(files_.get(), path, &bytes), "reading " + path));
      TM_RETURN_IF_ERROR(database.AddFile(name, bytes));
    }
    for (const auto& [name, bytes] : logs_) TM_RETURN_IF_ERROR(database.AddFile(name, bytes));
    logs_.clear();
    TM_TRY_ASSIGN(out_.rocks, database.Open(pages_, options_.cache_bytes));
    if (whole_) out_.sequence = out_.rocks->LatestSequence();
    return {};
  }

  const SalvageOptions options_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::string folder_;
  const std::shared_ptr<rocks::LooseTables> pages_;
  Salvage out_;
  bool whole_ = true;          // every table and log that has names and records
  bool records_whole_ = true;  // those that have records
  std::vector<PageTable> tables_;
  std::vector<std::string> whole_tables_;
  std::vector<Damaged> damaged_;
  std::vector<std::pair<std::string, std::string>> logs_;  // name, bytes
};

}  // namespace

Result<Salvage> SalvageStore(const SalvageOptions& options) { return Salvager(options).Run(); }

bool IsSeed(std::string_view key) { return key == kSeedKey; }

}  // namespace tidemark::storage::rescue
