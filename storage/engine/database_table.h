// DatabaseTable: which databases there are, by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/database/database.h"
#include "storage/storage.h"

namespace tidemark::storage {

using DatabasePtr = std::shared_ptr<database::Database>;

// Thread-safe.
class DatabaseTable {
 public:
  // The database of that name ("": the default one); null when there is none.
  [[nodiscard]] DatabasePtr Find(std::string_view name) const;
  // Sorted by name.
  [[nodiscard]] std::vector<DatabasePtr> All() const;
  [[nodiscard]] size_t size() const;
  void Add(DatabasePtr database);
  void Remove(std::string_view name);
  // Under the change mutex, with a name that no other has.
  void Rename(const DatabasePtr& database, std::string name);

  // Held by whoever creates, drops or changes one: one at a time.
  [[nodiscard]] Mutex& change_mutex() TM_RETURN_CAPABILITY(change_mutex_) { return change_mutex_; }

 private:
  Mutex change_mutex_;
  mutable SharedMutex mutex_;
  std::map<std::string, DatabasePtr, std::less<>> databases_ TM_GUARDED_BY(mutex_);
};

// Errors: kInvalidArgument, with the option that cannot be.
Result<void> CheckOptions(const DatabaseOptions& options);
// "database not found: \"NAME\"".
Error NoDatabase(std::string_view name);

}  // namespace tidemark::storage
