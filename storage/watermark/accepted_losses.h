// AcceptedLosses: the file `accepted-losses` of a store: what a repair has given up, for good to be seen. A line each,
// only ever appended. Format: storage/FORMAT.md, "Accepted losses".
#pragma once

#include <string>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/finding.h"

namespace rocksdb {
class FileSystem;
}

namespace tidemark::storage::watermark {

[[nodiscard]] std::string AcceptedLossesPath(const std::string& directory);

// All that were accepted, the oldest first, as findings that stop nothing. A line that cannot be read is one of them.
// Errors: kIo.
Result<std::vector<model::Finding>> ReadAcceptedLosses(rocksdb::FileSystem* files, const std::string& directory);

// Appends those of `findings` that are not accepted yet. Durable when it returns; whenever the power goes the file is
// the old one or the new one. Errors: kIo, kResourceExhausted.
Result<void> AcceptLosses(rocksdb::FileSystem* files, const std::string& directory,
                          const std::vector<model::Finding>& findings, model::Timestamp now);

}  // namespace tidemark::storage::watermark
