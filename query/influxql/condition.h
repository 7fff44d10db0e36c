// The conditions of SHOW, DROP and DELETE statements.
#pragma once

#include <cstdint>

#include "query/influxql/statement.h"
#include "query/influxql/token_reader.h"
#include "storage/base/result.h"

namespace tidemark::query::influxql {

// [WHERE ...], what comes next in `reader`: comparisons of tags and bounds of time, with AND, which binds more, OR and
// parentheses. Written out as alternatives, at most 256. `now_ns` is what now() means.
Result<Condition> ReadWhere(TokenReader* reader, int64_t now_ns);

}  // namespace tidemark::query::influxql
