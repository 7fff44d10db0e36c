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
    kStore,       // one is there
  };
  Kind kind = Kind::kNothing;
  // nullopt: there is none (older versions wrote none), or it cannot be read.
  std::optional<StoreIdentity> identity = {};
  // Of a store of which what RocksDB begins with, CURRENT and the MANIFEST that it names, is not there: what is
  // missing. RocksDB must not be let near it: it would make both anew and delete what they do not name.
  std::optional<Error> no_beginning = {};
};

// Errors: kUnsupported, kIo.
Result<StoreSight> LookForStore(rocksdb::FileSystem* files, const std::string& directory);

}  // namespace tidemark::storage::rocks
