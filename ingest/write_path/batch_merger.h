// BatchMerger: several small batches as one, so that they cost one search for their shapes, one record of the journal
// and one sync; and the report of the one as the report of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/model/batch.h"
#include "storage/model/point_sink.h"

namespace tidemark::write_path {

// Not thread-safe; keeps its memory between groups. The batches outlive what is done with merged().
class BatchMerger {
 public:
  // A report names so many rows, and each must be told which of its rows were refused.
  static constexpr size_t kMaxRows = model::WriteReport::kMaxRejections;

  // Whether a batch may be one of several: it has few rows, no strings, and nobody who is to be asked about its names.
  static bool MayMerge(const model::Batch& batch);

  void Clear();
  [[nodiscard]] size_t rows() const { return merged_.rows.size(); }
  // Adds a batch for which MayMerge holds and there is room: rows() stays within kMaxRows.
  void Add(const model::Batch& batch);
  // All rows in the order in which they were added; `line` counts from 1 through all of them.
  [[nodiscard]] const model::Batch& merged() const { return merged_; }

  // What the report of merged() says of each batch, in the order of Add. Rows and points written add up to the
  // report's. Which points of a row were refused a report does not say, so of several batches that have such rows the
  // last one gets what is left.
  [[nodiscard]] std::vector<model::WriteReport> Split(const model::WriteReport& report) const;

 private:
  struct Part {
    size_t first = 0;  // of its rows in merged_
    size_t rows = 0;
    uint64_t points = 0;
  };
  uint32_t ShapeOf(const model::Shape& shape);

  model::Batch merged_;
  std::vector<uint32_t> lines_;  // by row, its line in its own batch
  std::vector<Part> parts_;
};

}  // namespace tidemark::write_path
