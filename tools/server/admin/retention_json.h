// What a database keeps, and what a retention lets go, as the parts of answers that acts on retention and on rollups
// share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/storage.h"

namespace tidemark::server {

// The options of a database, without braces.
std::string RetentionJson(std::string_view database, const storage::DatabaseOptions& options);

// {"series":...,"rows":...,"bytes":...}
std::string ReportJson(const storage::DeleteReport& report);

// What a retention drops, without braces: the same words before the act and after it. `dropped`: of how many partitions
// something went at once, or would.
std::string PlanJson(const storage::RetentionReport& plan, bool dry_run, uint64_t dropped);

}  // namespace tidemark::server
