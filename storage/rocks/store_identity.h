// StoreIdentity: the file `identity` of a data directory. It is written first and says that a store lies here, whatever
// else may be missing: only where it is not, and nothing else of a store is, may one be made.
//
//   # Tidemark keeps a store in this directory. Do not delete this file.
//   format 1
//   id 0f1e2d3c4b5a69788796a5b4c3d2e1f0
//   state ready
//   checksum 0123456789abcdef
//
// Format: storage/FORMAT.md, "Identity".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::rocks {

struct StoreIdentity {
  // kCreating: nothing has been acknowledged yet, and what lies in the directory is the beginning of a store, which is
  // made anew by the next start. kReady: everything of the store was on disk once.
  enum class State { kCreating, kReady };
  std::string id;  // 32 hexadecimal digits, drawn when the store was made; no two stores have the same
  State state = State::kReady;
  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};

// A new one, of a store that is about to be made.
StoreIdentity DrawIdentity();

std::string Encode(const StoreIdentity& identity);
// Errors: kCorruption, kUnsupported (format).
Result<StoreIdentity> DecodeIdentity(std::string_view text);

[[nodiscard]] std::string IdentityPath(const std::string& directory);
// nullopt when there is no such file. Errors: kCorruption, kUnsupported, kIo; each names the file.
Result<std::optional<StoreIdentity>> ReadIdentity(rocksdb::FileSystem* files, const std::string& directory);
// Durable when it returns; whenever the power goes the file is the old one or the new one. Errors: kIo,
// kResourceExhausted.
Result<void> WriteIdentity(rocksdb::FileSystem* files, const std::string& directory, const StoreIdentity& identity);

}  // namespace tidemark::storage::rocks
