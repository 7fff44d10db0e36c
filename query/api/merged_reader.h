// MergedReader: the samples of what matchers select, series by series in the order of their labels. Series with equal
// labels, as two spellings of one metric have, are one: of samples at the same time the younger field's stays. Every
// endpoint that hands out rows reads them with this, so that none repeats a series.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "query/api/api.h"
#include "query/run/memory_total.h"
#include "query/run/query_context.h"
#include "query/run/turns.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"
#include "storage/model/column.h"
#include "storage/model/labels.h"
#include "storage/model/matcher.h"
#include "storage/storage.h"

namespace tidemark::query::api {

// What reading may use, of one request.
struct ReadLimits {
  run::Budget budget;
  run::MemoryTotal* memory = nullptr;
  const Clock* clock = nullptr;
  int64_t timeout_ns = 0;
  std::stop_token stop;
  run::Turns* turns = nullptr;
  uint64_t client = 0;  // whose turn it is
};

// `clock` null: the system's.
ReadLimits LimitsOf(const ApiRequest& request, const engine::QueryLimits& limits, const Clock* clock,
                    run::MemoryTotal* memory, run::Turns* turns);

// When what begins now has to end, on the system's clock; 0 where the time is of another clock.
int64_t DeadlineOf(const ReadLimits& limits);

// What the queries of one request have used of its limits.
struct ReadSpent {
  int64_t ns = 0;
  uint64_t samples = 0;
};

// At least one row; stale markers are among them. Values are doubles.
struct MergedSeries {
  model::LabelViews labels;  // of the view
  model::ColumnBuffer rows;
};

// Not thread-safe.
class MergedReader {
 public:
  // What any of `selectors` selects. `spent` outlives it.
  MergedReader(std::shared_ptr<const storage::View> view, std::vector<std::vector<model::Matcher>> selectors,
               model::TimeRange range, ReadLimits limits, ReadSpent* spent)
      : view_(std::move(view)),
        selectors_(std::move(selectors)),
        range_(range),
        limits_(std::move(limits)),
        spent_(spent) {}
  ~MergedReader() { limits_.memory->Give(charged_); }
  MergedReader(const MergedReader&) = delete;
  MergedReader& operator=(const MergedReader&) = delete;

  // Finds the series, part by part: between them memory, the deadline and the turn are looked at. Errors: those of
  // View::SelectPart, kLimitExceeded, kResourceExhausted, kTimeout, kCancelled.
  Status Open(run::Turn* turn);
  // The next series; false: there is none. Valid until the next call. Errors as above, kCorruption for a damaged page:
  // there is nowhere to say that something is missing.
  Result<bool> Next(run::Turn* turn, const MergedSeries** series);

 private:
  static constexpr size_t kFirstTogether = 16;

  [[nodiscard]] Status CheckEnd(int64_t began) const;
  Status Charge(uint64_t bytes);
  // Makes what is charged `bytes` in all.
  Status ChargeTo(uint64_t bytes);
  void Release(uint64_t bytes);
  Status ReadSome(run::Turn* turn);
  void Append(const model::LabelViews& labels, std::vector<model::ColumnBuffer> columns);

  const std::shared_ptr<const storage::View> view_;
  const std::vector<std::vector<model::Matcher>> selectors_;
  const model::TimeRange range_;
  const ReadLimits limits_;
  ReadSpent* const spent_;
  std::vector<model::SeriesRef> refs_;
  std::vector<model::LabelViews> labels_;  // of refs_
  std::vector<uint32_t> order_;            // indices into refs_, by labels
  size_t at_ = 0;                          // in order_
  size_t together_ = kFirstTogether;
  std::vector<MergedSeries> ready_;
  size_t ready_at_ = 0;
  uint64_t ready_bytes_ = 0;
  uint64_t charged_ = 0;
};

}  // namespace tidemark::query::api
