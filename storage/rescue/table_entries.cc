#include "storage/rescue/table_entries.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/sst_file_reader.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "storage/meta/meta_records.h"
#include "storage/rocks/rocks_options.h"

namespace tidemark::storage::rescue {
namespace {

// What is to stand under `key`; nullopt: what is there already.
std::optional<std::string> Chosen(rocks::Family family, std::string_view key, const std::optional<std::string>& there,
                                  std::string_view found) {
  if (family == rocks::Family::kIndex) {
    if (!there || there->size() < found.size()) return std::string(found);
    return std::nullopt;
  }
  if (key.starts_with(rocks::kPagePrefix)) return there ? std::nullopt : std::optional(std::string(found));
  if (!meta::Unseal(found, "record").ok()) return std::nullopt;
  if (!there) return std::string(found);
  if (key != rocks::kStoreKey) return std::nullopt;
  auto one = meta::DecodeStoreRecord(*there);
  const auto other = meta::DecodeStoreRecord(found);
  if (!one.ok() || !other.ok()) return std::nullopt;
  one->next_database = std::max(one->next_database, other->next_database);
  one->next_epoch = std::max(one->next_epoch, other->next_epoch);
  one->format_version = std::max(one->format_version, other->format_version);
  return meta::Encode(*one);
}

Result<void> Fill(rocks::Family family, const rocksdb::Iterator& at, rocks::RocksStore* rocks) {
  const std::string_view key(at.key().data(), at.key().size());
  const std::string_view value(at.value().data(), at.value().size());
  TM_TRY_ASSIGN(const std::optional<std::string> there, rocks->Get(family, key));
  std::optional<std::string> chosen = Chosen(family, key, there, value);
  if (!chosen) return {};
  rocks::RecordBatch batch;
  batch.Put(family, std::string(key), std::move(*chosen));
  return rocks->Write(batch);
}

}  // namespace

Result<void> FillFromTable(const std::shared_ptr<rocksdb::FileSystem>& files, const std::string& path,
                           rocks::Family family, rocks::RocksStore* rocks) {
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
  rocksdb::SstFileReader reader(
      {rocks::MakeDbOptions(env.get(), {}), rocks::MakeRecordOptions(rocksdb::NewLRUCache(0))});
  if (!reader.Open(path).ok()) return {};
  std::unique_ptr<rocksdb::Iterator> at(reader.NewIterator(rocksdb::ReadOptions()));
  std::string last;
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    TM_RETURN_IF_ERROR(Fill(family, *at, rocks));
    last = at->key().ToString();
  }
  if (at->status().ok()) return {};
  // An iterator that failed stays so.
  at.reset(reader.NewIterator(rocksdb::ReadOptions()));
  for (at->SeekToLast(); at->Valid() && at->key().compare(last) > 0; at->Prev()) {
    TM_RETURN_IF_ERROR(Fill(family, *at, rocks));
  }
  return {};
}

}  // namespace tidemark::storage::rescue
