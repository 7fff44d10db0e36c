// LineProtocolText: a Batch as line protocol, for writers that send to another server.
#pragma once

#include <string>

#include "storage/base/result.h"
#include "storage/model/batch.h"

namespace tidemark::sink {

// Appends a line per row, with nanosecond timestamps. Errors: a series key that does not parse. NaN and infinities,
// which line protocol cannot carry, are left out; a row that has nothing else is too.
Result<void> AppendLineProtocol(const model::Batch& batch, std::string* out);

}  // namespace tidemark::sink
