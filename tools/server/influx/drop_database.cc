#include "tools/server/influx/drop_database.h"

#include "storage/base/log.h"

namespace tidemark::server {

Status DropDatabase(storage::Store* store, PolicyBook* policies, const std::string& database, std::string_view author) {
  const Status dropped = store->DropDatabase(database);
  // Of a database that was not there a name may be left, from a time when it could not be forgotten.
  if (!dropped.ok() && dropped.error().code != ErrorCode::kNotFound) return dropped;
  if (const Status forgotten = policies->Forget(database, author); !forgotten.ok()) {
    TM_LOG(kWarn, "what the retention policy of {} was called is kept, though the database is gone: {}", database,
           forgotten.error().message);
  }
  return dropped;
}

}  // namespace tidemark::server
