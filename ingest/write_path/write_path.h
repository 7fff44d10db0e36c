// WritePath: what stands between everyone who writes (protocols, executor, host sampler, rules) and the store. It
// checks names and sizes, bounds how much is under way at once, counts, and remembers what was rejected. It works on
// whole batches; the only thing it looks at row by row is the length of the series key.
//
//   WritePath writes(store.get(), {});
//   TM_TRY_ASSIGN(model::WriteReport report, writes.Write("default", batch));
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/write_path/rejection_log.h"
#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/result.h"
#include "storage/model/limits.h"
#include "storage/model/point_sink.h"

namespace tidemark::write_path {

struct WritePathOptions {
  // Writes that may be under way at once; one more is kResourceExhausted. A write waits for the disk, so this bounds
  // threads that wait, not work.
  uint32_t max_writes_in_flight = 256;
  // Bytes of the batches of those writes (BatchBytes). A batch that alone is larger is taken when it is alone.
  uint64_t max_bytes_in_flight = uint64_t{512} << 20;
  // Rows with a longer series key, as it was sent, are rejected.
  size_t max_key_bytes = model::kSeriesKeyBytesMax;
  // Rows whose measurement or one of whose fields has a longer name are rejected.
  size_t max_name_bytes = 16'384;
  // Entries of the log of rejections.
  size_t rejection_log_entries = 256;
};

inline constexpr size_t kErrorCodes = static_cast<size_t>(ErrorCode::kInternal) + 1;

// What came in by one way (model::Batch::source), counted since the start.
struct SourceStats {
  std::string source;  // "" for this process itself
  uint64_t rows_written = 0;
  uint64_t points_written = 0;
  uint64_t rows_rejected = 0;
};

// Counters since the start, and gauges, for /metrics.
struct WritePathStats {
  uint64_t writes = 0;  // calls of Write, refused ones included
  uint64_t rows_written = 0;
  uint64_t points_written = 0;
  uint64_t rows_rejected = 0;
  // By what was wrong, index = ErrorCode. Rows of a batch with more than WriteReport::kMaxRejections rejections count
  // here only as far as the report describes them.
  std::array<uint64_t, kErrorCodes> rows_rejected_by{};
  std::array<uint64_t, kErrorCodes> writes_failed_by{};  // whole batches
  uint32_t writes_in_flight = 0;
  uint64_t bytes_in_flight = 0;
  std::vector<SourceStats> sources = {};  // in the order in which they were first seen
};

// Bytes that a batch holds, roughly: rows, values, scales, strings, arena.
uint64_t BatchBytes(const model::Batch& batch);

// Adds the rejections of `own` to `report`, in the order of the input.
void MergeRejections(model::WriteReport own, model::WriteReport* report);

// Thread-safe.
class WritePath final : public model::PointSink {
 public:
  // `store` and `clock` outlive it. Null clock: the system's.
  WritePath(model::PointSink* store, const WritePathOptions& options, const Clock* clock = nullptr);

  // As PointSink says, and: kInvalidArgument for the name of a database, kResourceExhausted when too much is under way.
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

  // Writes batches of one source in one go where they may be merged (BatchMerger), and the others by themselves; each
  // is answered, counted and logged as if it had come alone, in the order of `batches`.
  std::vector<Result<model::WriteReport>> WriteAll(std::string_view database,
                                                   std::span<const model::Batch* const> batches);

  // Puts a row that never reached Write (a parser rejected it) into the counters and the log.
  void CountRejected(const RejectionLog::Place& place, const Error& error);

  [[nodiscard]] WritePathStats Stats() const;
  [[nodiscard]] const RejectionLog& rejections() const { return log_; }

 private:
  class Admission;

  Result<model::WriteReport> WriteChecked(std::string_view database, const model::Batch& batch);
  [[nodiscard]] bool ShapeFits(const model::Shape& shape) const;
  [[nodiscard]] bool AllFits(const model::Batch& batch) const;
  // Why a row cannot be taken.
  [[nodiscard]] Result<void> CheckRow(const model::Batch& batch, const model::Row& row) const;
  // Those of `batches`, which may be merged, as one.
  void WriteMerged(std::string_view database, std::span<const model::Batch* const> batches,
                   std::vector<Result<model::WriteReport>>* out);
  void Count(std::string_view database, const model::Batch& batch, const model::WriteReport& report);
  void CountSource(std::string_view source, uint64_t rows, uint64_t points, uint64_t rejected);

  model::PointSink* const store_;
  const WritePathOptions options_;
  const Clock* const clock_;
  RejectionLog log_;

  std::atomic<uint64_t> writes_{0};
  std::atomic<uint64_t> rows_written_{0};
  std::atomic<uint64_t> points_written_{0};
  std::atomic<uint64_t> rows_rejected_{0};
  std::array<std::atomic<uint64_t>, kErrorCodes> rows_rejected_by_{};
  std::array<std::atomic<uint64_t>, kErrorCodes> writes_failed_by_{};

  mutable Mutex mutex_;
  uint32_t writes_in_flight_ TM_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_in_flight_ TM_GUARDED_BY(mutex_) = 0;
  std::vector<SourceStats> sources_ TM_GUARDED_BY(mutex_);
};

}  // namespace tidemark::write_path
