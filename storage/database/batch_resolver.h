// BatchResolver: from a Batch, whose rows have names, to a ResolvedBatch, whose rows have ids; and which rows are
// refused, in the words of InfluxDB 1.x. What is refused leaves no name and no type behind.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/result.h"
#include "storage/database/shape_plan.h"
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
  // The result is valid until the next call, and while `batch` lives.
  //   * a row whose field types contradict those of their names (see ShapePlan): kConflict
  //   * a row with an integer that no float is equal to, for a float field whose name has had integers:
  //   kInvalidArgument.
  //     In fields that were floats all along such integers are rounded
  //   * a row whose key does not parse, or outside [kMinTime, kMaxTime], or beyond retention: kInvalidArgument
  //   * a row whose series or fields would be one too many: kLimitExceeded; that Batch::names refuses:
  //   kResourceExhausted
  //   * fields that a selector of the retention does not keep so long (see RefuseOld): kInvalidArgument. The row's
  //     other fields are written; it counts as rejected and, when there are some, as written.
  // Errors, for all rows: those of TypeChanges::Prepare.
  Result<model::ResolvedBatch> Resolve(const ResolveTarget& target, const model::Batch& batch,
                                       model::WriteReport* report);
  // Index::types_version as of which the last batch was resolved: see there.
  [[nodiscard]] uint64_t types_version() const { return plan_.types_version(); }

  // The selectors by which the next batches are judged, as of `now_ns`; null: none.
  void RefuseOld(std::shared_ptr<const retention::KeepRules> rules, int64_t now_ns) {
    rules_ = std::move(rules);
    now_ns_ = now_ns;
  }

  // The batch record; lives here so that its memory is reused.
  std::string record;

 private:
  // Plans the shapes of rows that are not refused for their time.
  void PlanShapes(const model::Batch& batch, const ResolveTarget& target);
  // Fills ids_; whether the sender's own numbers gave all of them.
  bool LookUp(const model::Batch& batch, const ResolveTarget& target);
  // Fills rows_, and creates the series that are new.
  void TakeRows(const model::Batch& batch, const ResolveTarget& target, model::WriteReport* report);
  // Why a row is refused whatever its fields are; "" when it is not.
  [[nodiscard]] static std::string_view RefusedTime(const model::Row& row, const ResolveTarget& target);
  // Refuses a row with an integer that its field cannot keep. Returns whether it did.
  bool RefuseInexact(const model::Batch& batch, const model::Row& row, model::WriteReport* report) const;
  // Rewrites integers to floats in values_.
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
  ShapePlan plan_;
  std::vector<uint8_t> used_;    // by shape: a row of it may be taken, then: is
  std::vector<uint32_t> order_;  // shapes by their first row that may be taken
  std::vector<Partial> partial_;
  std::vector<model::SeriesId> ids_;
  std::vector<model::ResolvedRow> rows_;
  std::vector<int64_t> values_;
  std::vector<uint8_t> scales_;
};

}  // namespace tidemark::storage::database
