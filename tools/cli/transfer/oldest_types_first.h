// OldestTypesFirst: a source whose fields may have rows of several types, in the order in which a store can take them:
// integers of a field that has floats too before everything else (tools/transfer/mixed_types.h).
#pragma once

#include <memory>

#include "storage/base/result.h"
#include "tools/cli/transfer/piece_reader.h"

namespace tidemark::cli {

// Reads the source once to learn which fields those are; without any it is the source as it is, else it is read twice
// more. The pieces and their order are the same each time that those of the source are. Errors: those of the source.
Result<std::unique_ptr<PieceReader>> OpenOldestTypesFirst(const Reopen& open);

}  // namespace tidemark::cli
