// The conditions of SHOW, DROP and DELETE statements.
#pragma once

#include <cstdint>
#include <string_view>

#include "query/influxql/statement.h"
#include "query/influxql/token_reader.h"
#include "storage/base/result.h"

namespace tidemark::query::influxql {

// [WHERE ...], what comes next in `reader`: comparisons of tags and bounds of time, with AND, which binds more, OR and
// parentheses. Written out as alternatives, at most 256. `now_ns` is what now() means.
Result<Condition> ReadWhere(TokenReader* reader, int64_t now_ns);

// The predicate of a deletion of InfluxDB 2, all of `text`: `_measurement="cpu" AND host="a"`. As a condition, but
// without bounds of time, and values may stand in either quotes or none; _measurement and _field are names as others.
// Blank: everything. kInvalidArgument says what is wrong, with line and character.
Result<Condition> ParsePredicate(std::string_view text);

}  // namespace tidemark::query::influxql
