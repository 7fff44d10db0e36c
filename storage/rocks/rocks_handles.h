// What RocksStore holds of RocksDB. Only rocks_store.cc and sst_writer.cc include this.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <array>
#include <memory>

#include "storage/rocks/keeping_file_system.h"
#include "storage/rocks/rocks_store.h"

namespace tidemark::storage::rocks {

struct RocksStore::Handles {
  // Destroyed from the bottom up: families before the database, the database before cache and environment.
  std::shared_ptr<KeepingFileSystem> files;
  std::unique_ptr<rocksdb::Env> env;
  std::shared_ptr<rocksdb::Cache> cache;
  std::unique_ptr<rocksdb::DB> db;
  std::unique_ptr<rocksdb::ColumnFamilyHandle> default_family;
  std::array<std::unique_ptr<rocksdb::ColumnFamilyHandle>, 3> families;

  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Family which) const {
    return families[static_cast<size_t>(which)].get();
  }

  void CloseDb() {
    if (db == nullptr) return;
    for (auto& handle : families) handle.reset();
    default_family.reset();
    db->Close().PermitUncheckedError();
    db.reset();
  }
};

}  // namespace tidemark::storage::rocks
