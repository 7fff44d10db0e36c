// Limits of names that everyone who writes keeps, so that what one protocol takes another does not refuse.
#pragma once

#include <cstddef>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::model {

// Bytes of a series key (measurement and tags, as they were sent). InfluxDB's limit.
inline constexpr size_t kSeriesKeyBytesMax = 65'535;

inline constexpr size_t kDatabaseNameBytesMax = 64;

// 1 to kDatabaseNameBytesMax bytes of UTF-8 without '/', '\\' and control characters, not "." or "..": a name is part
// of paths and addresses. kInvalidArgument says which.
Result<void> CheckDatabaseName(std::string_view name);

}  // namespace tidemark::model
