#include "storage/rescue/memory_database.h"

#include <fmt/core.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <utility>
#include <vector>

#include "storage/rocks/directory.h"
#include "storage/rocks/rocks_options.h"
#include "storage/rocks/rocks_status.h"

namespace tidemark::storage::rescue {
namespace {

constexpr std::string_view kDirectory = "/salvage";
// Tables of a store have smaller numbers.
constexpr uint64_t kSeedNumber = uint64_t{1} << 40;

std::string PathOf(std::string_view name) { return fmt::format("{}/{}", kDirectory, name); }

}  // namespace

Result<MemoryDatabase> MemoryDatabase::Begin() {
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  MemoryDatabase database(env->GetFileSystem());
  {
    TM_TRY_ASSIGN(
        const auto rocks,
        rocks::RocksStore::Open(
            {.directory = std::string(kDirectory), .file_system = database.files_, .create = true, .on_error = {}}));
    rocks::RecordBatch seeds;
    seeds.Put(rocks::Family::kIndex, std::string(kSeedKey), {});
    seeds.Put(rocks::Family::kMeta, std::string(kSeedKey), {});
    TM_RETURN_IF_ERROR(rocks->Write(seeds));
    TM_RETURN_IF_ERROR(rocks->Flush());
    rocks->Close();
  }
  // The tables stay, the beginning goes: it would not know what is added.
  TM_TRY_ASSIGN(const std::vector<std::string> names, rocks::NamesIn(database.files_.get(), std::string(kDirectory)));
  uint64_t number = kSeedNumber;
  for (const std::string& name : names) {
    const rocksdb::IOOptions options;
    const rocksdb::IOStatus status =
        name.ends_with(".sst")
            ? database.files_->RenameFile(PathOf(name), PathOf(fmt::format("{:06}.sst", number++)), options, nullptr)
            : database.files_->DeleteFile(PathOf(name), options, nullptr);
    TM_RETURN_IF_ERROR(rocks::FromRocks(status, "preparing a database in memory"));
  }
  return database;
}

Result<void> MemoryDatabase::AddFile(const std::string& name, const std::string& bytes) {
  return rocks::FromRocks(rocksdb::WriteStringToFile(files_.get(), bytes, PathOf(name)), "copying " + name);
}

Result<std::shared_ptr<rocks::RocksStore>> MemoryDatabase::Open(std::shared_ptr<const rocks::LooseTables> pages,
                                                                uint64_t cache_bytes) {
  const std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files_);
  const rocksdb::DBOptions db_options = rocks::MakeDbOptions(env.get(), {});
  const rocksdb::ColumnFamilyOptions records = rocks::MakeRecordOptions(rocksdb::NewLRUCache(cache_bytes));
  const rocksdb::Status repaired =
      rocksdb::RepairDB(std::string(kDirectory), db_options,
                        {{rocksdb::kDefaultColumnFamilyName, records}, {"index", records}, {"meta", records}}, records);
  TM_RETURN_IF_ERROR(rocks::FromRocks(repaired, "putting tables and logs together"));
  return rocks::RocksStore::Open({.directory = std::string(kDirectory),
                                  .file_system = files_,
                                  .cache_bytes = cache_bytes,
                                  .create = true,
                                  .pages = std::move(pages),
                                  .on_error = {}});
}

}  // namespace tidemark::storage::rescue
