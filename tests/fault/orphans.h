// FindOrphans: what lies in a data directory although nothing names it.
#pragma once

#include <string>

namespace tidemark::fault {

// {} when each file of pages belongs to a live epoch and each live epoch has its file, no file of RocksDB is left over,
// nothing waits in `staging`, and no index entry belongs to a database that is not there; otherwise what is wrong.
// Nobody may have the store open; a checkpoint under way would look like an orphan.
std::string FindOrphans(const std::string& directory);

}  // namespace tidemark::fault
