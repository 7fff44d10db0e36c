// LookForStore: whether a store lies in a data directory, told by its files alone. Changes nothing.
#pragma once

#include <optional>
#include <string>

#include "storage/base/result.h"
#include "storage/rocks/store_identity.h"

namespace tidemark::storage::rocks {

struct StoreSight {
  enum class Kind {
    kNothing,     // no trace of a store: one may be made
    kUnfinished,  // one was being made, and nothing was ever acknowledged: it is made anew
    kStore,       // one is there, and its CURRENT and MANIFEST are
  };
  Kind kind = Kind::kNothing;
  // nullopt: there is none (older versions wrote none), or it cannot be read.
  std::optional<StoreIdentity> identity = {};
};

// Errors: kCorruption when a part of a store is there and what RocksDB begins with is not: the message names what is
// missing and what to do. kUnsupported, kIo.
Result<StoreSight> LookForStore(rocksdb::FileSystem* files, const std::string& directory);

}  // namespace tidemark::storage::rocks
