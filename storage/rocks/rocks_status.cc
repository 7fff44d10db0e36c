#include "storage/rocks/rocks_status.h"

#include <fmt/core.h>
#include <rocksdb/status.h>

#include <string>

#include "storage/base/printable.h"

namespace tidemark::storage::rocks {
namespace {

ErrorCode CodeOf(const rocksdb::Status& status) {
  if (status.IsCorruption()) return ErrorCode::kCorruption;
  if (status.IsNotFound()) return ErrorCode::kNotFound;
  if (status.IsNoSpace()) return ErrorCode::kResourceExhausted;
  if (status.IsNotSupported()) return ErrorCode::kUnsupported;
  if (status.IsShutdownInProgress()) return ErrorCode::kUnavailable;
  if (status.IsIOError() || status.IsTryAgain() || status.IsIncomplete()) return ErrorCode::kIo;
  return ErrorCode::kInternal;
}

}  // namespace

Result<void> FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return {};
  return MakeError(CodeOf(status), fmt::format("{}: {}", what, Printable(status.ToString())));
}

// RocksDB 7.8 has no code for it. The lock of another process fails with EAGAIN.
bool IsLockHeld(const rocksdb::Status& status) {
  const std::string text = status.ToString();
  return text.find("lock hold by current process") != std::string::npos ||
         (text.find("While lock file") != std::string::npos &&
          text.find("Resource temporarily unavailable") != std::string::npos);
}

}  // namespace tidemark::storage::rocks
