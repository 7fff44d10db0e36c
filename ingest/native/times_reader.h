// TimesReader: the times of a table, whichever form they were sent in.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::wire {
struct Times;
}

namespace tidemark::native {

// Not thread-safe; keeps its memory from table to table.
class TimesReader {
 public:
  // How many times a message has; 1 for null, and where all rows share one. kInvalidArgument for a unit of 0.
  static Result<uint64_t> CountOf(const wire::Times* times);

  // The first `count` times in nanoseconds, valid until the next call; `now_ns` for null. Times beyond int64 become its
  // ends, which no store takes.
  const std::vector<int64_t>& Read(const wire::Times* times, uint32_t count, int64_t now_ns);

 private:
  std::vector<int64_t> times_;
};

}  // namespace tidemark::native
