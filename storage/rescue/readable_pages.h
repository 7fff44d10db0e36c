// TakeInReadable: what can be read of a damaged table of pages, as a table that is whole.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "storage/rescue/salvage.h"

namespace tidemark::storage::rescue {

// Writes those pages of the epoch that can be read into a file in `folder`, makes that a part of `rocks`, and the
// epoch's record there one of what is left. What is not is added to the salvage's findings. The pages are in memory
// meanwhile. Errors: kCorruption when its list of pages cannot be read, or none of them; kIo, kResourceExhausted.
Result<void> TakeInReadable(const PageTable& table, const std::string& folder, Salvage* salvage,
                            rocks::RocksStore* rocks);

}  // namespace tidemark::storage::rescue
