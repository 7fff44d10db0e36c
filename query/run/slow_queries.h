// What the log says of a query that took long, so that whoever looks for the reason of a slow dashboard finds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/run/query_context.h"
#include "storage/base/result.h"

namespace tidemark::query::run {

struct SlowQuery {
  std::string_view text;
  std::string_view database;
  RangeSpec range;
  int64_t took_ns = 0;
};

// One line: how long, what, how much was read, and how it ended where it failed. Of a long text the beginning.
std::string SlowQueryLine(const SlowQuery& query, const Result<QueryResult>& result);

}  // namespace tidemark::query::run
