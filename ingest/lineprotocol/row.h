// Row: reads the fields and time of a line that is expected to be like an earlier one. The quick half of the parser: it
// takes what is common and plain and leaves every other line, good or bad, to LineReader.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ingest/lineprotocol/line_shape_cache.h"
#include "ingest/lineprotocol/parser.h"
#include "storage/base/arena.h"

namespace tidemark::lineprotocol {

// Where the values of a row go: at least as many of each as the shape has fields.
struct RowTarget {
  int64_t* values;
  uint8_t* scales;
  std::vector<std::string_view>* strings;
  Arena* arena;
};

struct RowResult {
  const char* next = nullptr;  // the start of the following line; nullptr when this one is not plainly of the shape
  model::Timestamp time;
  uint32_t newlines = 0;  // inside of strings
};

// How far ReadRow looks beyond what it has read: with fewer bytes than this behind a line it may give the line up.
inline constexpr size_t kRowSlack = 64;

// Reads ` field=value,... time\n` at `at`, which is the space behind the key. [at, end) may be read; the line ends
// before `end`. `default_time` is truncated already. When the result has no `next`, what is in the target's values and
// scales means nothing, and strings may have been appended.
RowResult ReadRow(const CachedShape& shape, const char* at, const char* end, const ParseOptions& options,
                  model::Timestamp default_time, const RowTarget& target);

}  // namespace tidemark::lineprotocol
