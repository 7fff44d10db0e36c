// Errors with a place in the query text, in Prometheus' shape.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::query::promql {

// "2:7: parse error: message": the line and the column in bytes of `offset`, both from 1. An empty text has no places:
// "unknown position: ...".
Error ErrorAt(std::string_view text, uint32_t offset, std::string_view message,
              ErrorCode code = ErrorCode::kInvalidArgument);

}  // namespace tidemark::query::promql
