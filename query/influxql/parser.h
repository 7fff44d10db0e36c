// Parse: InfluxQL text to statements, as far as Tidemark answers them (statement.h).
//
//   TM_TRY_ASSIGN(auto statements, Parse("CREATE DATABASE \"mydb\"; SHOW DATABASES"));
//
// Errors are kInvalidArgument in InfluxDB 1.x's words, to be sent with status 400:
// "error parsing query: found EOF, expected identifier at line 1, char 17". Lines and characters count from 1.
// Statements that InfluxDB knows and Tidemark does not are NotServed, with what to use instead.
//
// Free of state: may be called from any thread. Takes time and memory in proportion to the text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/influxql/statement.h"
#include "storage/base/result.h"

namespace tidemark::query::influxql {

// The statements of `text`, which are parted by semicolons; none for a blank text. `now_ns` is what now() means.
Result<std::vector<Statement>> Parse(std::string_view text, int64_t now_ns = 0);

}  // namespace tidemark::query::influxql
