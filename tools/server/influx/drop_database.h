// DropDatabase: what it takes that a database is gone.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/storage.h"
#include "tools/server/influx/policy_book.h"

namespace tidemark::server {

// Drops a database, and what its policy is called. That the name could not be forgotten is in the log only: the data
// are gone, and whoever asked for that must not be told that they are not. Errors: those of Store::DropDatabase.
Status DropDatabase(storage::Store* store, PolicyBook* policies, const std::string& database, std::string_view author);

}  // namespace tidemark::server
