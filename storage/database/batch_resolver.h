// BatchResolver: from a Batch, whose rows have names, to a ResolvedBatch, whose rows have ids; and which rows are
// refused, in the words of InfluxDB 1.x.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/database/shape_cache.h"
#include "storage/index/index.h"
#include "storage/model/batch.h"
#include "storage/model/ids.h"
#include "storage/model/point_sink.h"
#include "storage/model/resolved_batch.h"
#include "storage/retention/keep_check.h"
#include "storage/retention/keep_rules.h"

namespace tidemark::storage::database {

// Not thread-safe; keeps its memory from batch to batch.
class BatchResolver {
 public:
  // Resolves what is good and puts what is not into the report, which also gets the counts of rows and points written.
  // Rows older than `oldest_ns` are beyond retention. The result is valid until the next call, and while `batch` lives.
  //   * a row whose field types contradict the stored ones: kConflict
  //   * a row whose key does not parse, or outside [kMinTime, kMaxTime], or beyond retention: kInvalidArgument
  //   * a row whose series would be one too many: kLimitExceeded
  //   * fields that a selector of the retention does not keep so long (see RefuseOld): kInvalidArgument. The row's
  //   other
  //     fields are written; it counts as rejected and, when there are some, as written.
  model::ResolvedBatch Resolve(model::DatabaseId database, const model::Batch& batch, int64_t oldest_ns,
                               index::Index* index, ShapeCache* shapes, model::WriteReport* report);

  // The selectors by which the next batches are judged, as of `now_ns`; null: none.
  void RefuseOld(std::shared_ptr<const retention::KeepRules> rules, int64_t now_ns) {
    rules_ = std::move(rules);
    now_ns_ = now_ns;
  }

  // The batch record; lives here so that its memory is reused.
  std::string record;

 private:
  struct ShapeState {
    bool usable = false;
    bool widens = false;  // has integers that the database stores as floats
    Error error;
  };

  void ResolveShapes(const model::Batch& batch, index::Index* index, ShapeCache* shapes);
  // Rewrites integers to floats in a copy of the values.
  void Widen(const model::Batch& batch);
  // Puts the fields of the row at the end of rows_ that are too old into the report, in words, and notes the others.
  // false: there are no others.
  bool KeepOthers(const model::Batch& batch, const model::Row& row, std::span<const uint32_t> too_old,
                  model::WriteReport* report);
  // Gives rows of which some fields are refused a shape and values of their own.
  void TakeOut();

  // A row of rows_ that keeps only some of its fields.
  struct Partial {
    size_t row = 0;
    std::vector<uint32_t> too_old;
  };

  std::shared_ptr<const retention::KeepRules> rules_;
  int64_t now_ns_ = 0;
  retention::KeepCheck keep_;
  std::vector<Partial> partial_;
  std::vector<model::SeriesId> ids_;
  std::vector<ShapeState> states_;
  std::vector<model::ResolvedShape> shapes_;
  std::vector<model::ResolvedRow> rows_;
  std::vector<int64_t> values_;
  std::vector<uint8_t> scales_;
  std::string scratch_;
  bool any_widens_ = false;
};

}  // namespace tidemark::storage::database
