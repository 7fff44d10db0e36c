#include "orphans.h"

#include <fmt/core.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "storage/documents/document_check.h"
#include "storage/meta/meta_records.h"
#include "storage/rocks/keys.h"

namespace tidemark::fault {
namespace {

using EpochId = std::pair<model::DatabaseId, uint64_t>;

// RocksDB, opened to be looked at.
struct OpenRocks {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  ~OpenRocks() {
    for (rocksdb::ColumnFamilyHandle* family : families) db->DestroyColumnFamilyHandle(family);
  }
};

std::string Look(const OpenRocks& rocks, const std::string& directory) {
  std::set<EpochId> live;
  std::set<EpochId> live_in_meta;
  std::set<EpochId> with_pages_in_meta;
  std::set<model::DatabaseId> databases;
  storage::documents::DocumentCheck documents;
  const std::unique_ptr<rocksdb::Iterator> meta(rocks.db->NewIterator({}, rocks.families[3]));
  for (meta->SeekToFirst(); meta->Valid(); meta->Next()) {
    const std::string_view key = meta->key().ToStringView();
    if (key.starts_with(storage::rocks::kEpochPrefix)) {
      auto record = storage::meta::DecodeEpochRecord(meta->value().ToStringView());
      if (!record.ok()) return record.error().message;
      (record->in_meta ? live_in_meta : live).emplace(record->database, record->epoch);
    } else if (key.starts_with(storage::rocks::kDatabasePrefix)) {
      auto record = storage::meta::DecodeDatabaseRecord(meta->value().ToStringView());
      if (!record.ok()) return record.error().message;
      databases.insert(record->id);
    } else if (key.starts_with(storage::rocks::kPagePrefix)) {
      auto page = storage::rocks::DecodePageKey(key.substr(storage::rocks::kPagePrefix.size()));
      if (!page.ok()) return page.error().message;
      with_pages_in_meta.emplace(page->database, page->epoch);
    }
    if (auto seen = documents.See(key, meta->value().ToStringView()); !seen.ok()) return seen.error().message;
  }
  for (const std::string& missing : documents.Missing()) return missing;
  if (live_in_meta != with_pages_in_meta) {
    return fmt::format("{} epochs lie in meta, and {} have pages there", live_in_meta.size(),
                       with_pages_in_meta.size());
  }
  const std::unique_ptr<rocksdb::Iterator> index(rocks.db->NewIterator({}, rocks.families[2]));
  for (index->SeekToFirst(); index->Valid(); index->Next()) {
    auto id = storage::rocks::DatabaseOfIndexKey(index->key().ToStringView());
    if (!id.ok()) return id.error().message;
    if (!databases.contains(*id)) return fmt::format("an index entry of database {}", model::Number(*id));
  }
  std::vector<rocksdb::LiveFileMetaData> files;
  rocks.db->GetLiveFilesMetaData(&files);
  std::set<std::string> names;
  for (const rocksdb::LiveFileMetaData& file : files) {
    names.insert(std::filesystem::path(file.name).filename());
    if (file.column_family_name != "data") continue;
    auto key = storage::rocks::DecodePageKey(file.smallestkey);
    if (!key.ok()) return key.error().message;
    if (live.erase({key->database, key->epoch}) == 0) {
      return fmt::format("{} is of epoch {}, which is not live or has another file", file.name, key->epoch);
    }
    if (file.level == 0) return fmt::format("{} is in level 0", file.name);
  }
  if (!live.empty()) return fmt::format("epoch {} has no file", live.begin()->second);
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/rocksdb")) {
    if (entry.path().extension() != ".sst") continue;
    if (!names.contains(entry.path().filename())) return fmt::format("{} is left over", entry.path().string());
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/staging")) {
    return fmt::format("{} is left over", entry.path().string());
  }
  return {};
}

}  // namespace

std::string FindOrphans(const std::string& directory) {
  const std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName, {}}, {"data", {}}, {"index", {}}, {"meta", {}}};
  OpenRocks rocks;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly({}, directory + "/rocksdb", descriptors, &rocks.families, &db);
  if (!status.ok()) return status.ToString();
  rocks.db.reset(db);
  return Look(rocks, directory);
}

}  // namespace tidemark::fault
