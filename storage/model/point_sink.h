// PointSink: where points go. The store's write path is one; the executor, the host sampler and rules write to it
// without knowing what stands behind it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/batch.h"

namespace tidemark::model {

// A row, or one field of it, that was not written.
struct Rejection {
  uint32_t line = 0;  // Row::line
  Error error;        // in the words of InfluxDB 1.x where that has words for it
};

struct WriteReport {
  uint64_t rows_written = 0;
  uint64_t points_written = 0;
  // Those of which some fields only were refused are among the rows written too.
  uint64_t rows_rejected = 0;
  // Series that the database did not have before.
  uint64_t series_created = 0;
  // The first kMaxRejections of them, in the order of the input.
  std::vector<Rejection> rejections;

  static constexpr size_t kMaxRejections = 100;
  void Reject(uint32_t line, Error error) {
    ++rows_rejected;
    if (rejections.size() < kMaxRejections) rejections.push_back({line, std::move(error)});
  }
};

class PointSink {
 public:
  virtual ~PointSink() = default;

  // Writes the rows of `batch` to `database` ("" means "default"). When it returns a report, every row that is not
  // rejected in it is on disk (as the database's durability says) and visible to the next query. An Error means that
  // nothing is promised: kResourceExhausted and kUnavailable may be tried again. Thread-safe; blocks for the sync.
  virtual Result<WriteReport> Write(std::string_view database, const Batch& batch) = 0;
};

}  // namespace tidemark::model
