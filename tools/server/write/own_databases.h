// OwnDatabases: what the server and the executor report by themselves, a row each second or ten, would grow for ever in
// a database with the options of new ones. So the databases that have a row in the table of own_databases.cc get their
// options from it when their first point comes; afterwards they are databases as all others, and `tidemark admin
// retention set` and `rollup set` change what they keep.
#pragma once

#include <string_view>

#include "storage/model/point_sink.h"
#include "storage/storage.h"

namespace tidemark::server {

// The options with which the database is made; null: it is none of those.
const storage::DatabaseOptions* OwnDatabaseOptions(std::string_view name);

// In front of the store. Thread-safe.
class OwnDatabases final : public model::PointSink {
 public:
  // `store` outlives it. `create`: a write may create databases (StoreOptions::create_databases).
  OwnDatabases(storage::Store* store, bool create) : store_(*store), create_(create) {}

  // As the store's.
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

 private:
  storage::Store& store_;
  const bool create_;
};

}  // namespace tidemark::server
