// How RocksDB is set up. The reasons for each setting stand beside it in rocks_options.cc.
#pragma once

#include <rocksdb/options.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "storage/base/result.h"

namespace tidemark::storage::rocks {

// Called on any thread when RocksDB stops writing because of an error.
using RocksErrorFn = std::function<void(const Error& error)>;

rocksdb::DBOptions MakeDbOptions(rocksdb::Env* env, RocksErrorFn on_error);
// Pages: ingested files only.
rocksdb::ColumnFamilyOptions MakeDataOptions(const std::shared_ptr<rocksdb::Cache>& cache);
// Index entries and meta records: ordinary writes only.
rocksdb::ColumnFamilyOptions MakeRecordOptions(const std::shared_ptr<rocksdb::Cache>& cache);

}  // namespace tidemark::storage::rocks
