// What stands in a backup beside the files: whose it is and when it was made, as one line:
//
//   tidemark-backup 1 STORE_ID MADE_NS
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::storage::backup {

struct BackupNote {
  std::string store_id;
  int64_t made_ns = 0;  // since 1970
  friend bool operator==(const BackupNote&, const BackupNote&) = default;
};

std::string Encode(const BackupNote& note);
// Errors: kCorruption (it was not made by Encode), kUnsupported (a later format).
Result<BackupNote> DecodeNote(std::string_view text);

}  // namespace tidemark::storage::backup
