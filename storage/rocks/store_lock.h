// StoreLock: the lock that RocksDB takes on a directory that it has open, taken without opening it.
#pragma once

#include <memory>
#include <string>

#include "storage/base/result.h"

namespace tidemark::storage::rocks {

// Held while it lives.
class StoreLock {
 public:
  // `directory`: of the store. Errors: kNotFound when there is no store, kUnavailable when somebody has it open.
  static Result<std::unique_ptr<StoreLock>> Take(const std::string& directory);
  virtual ~StoreLock() = default;
};

}  // namespace tidemark::storage::rocks
