// MetricShapes: the shape of each metric in a batch. Every metric of remote write is a measurement with the one field
// `value`, so a batch has as many shapes as metric names.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"
#include "storage/model/batch.h"
#include "storage/model/labels.h"

namespace tidemark::remotewrite {

class MetricShapes {
 public:
  // Forgets everything; the batch that Find adds to must be empty.
  void Clear() {
    slots_.assign(slots_.size(), 0);
    last_ = 0;
  }

  // The shape of `metric` in `batch`, added when it is new. The bytes of `metric` must live as long as the batch.
  uint32_t Find(std::string_view metric, model::Batch* batch) {
    // A request mostly holds the series of one metric next to each other.
    if (last_ < batch->shapes.size() && batch->shapes[last_].measurement == metric) return last_;
    if ((batch->shapes.size() + 1) * 2 > slots_.size()) Grow(*batch);
    size_t at = Hash(metric);
    while (slots_[at] != 0) {
      last_ = slots_[at] - 1;
      if (batch->shapes[last_].measurement == metric) return last_;
      at = (at + 1) & (slots_.size() - 1);
    }
    last_ = static_cast<uint32_t>(batch->shapes.size());
    slots_[at] = last_ + 1;
    batch->shapes.push_back({metric, {{model::kValueField, model::FieldType::kFloat}}});
    return last_;
  }

 private:
  [[nodiscard]] size_t Hash(std::string_view metric) const {
    return Hash64(metric, model::SeriesHashSeed()) & (slots_.size() - 1);
  }
  void Grow(const model::Batch& batch) {
    slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, 0);
    for (uint32_t shape = 0; shape < batch.shapes.size(); ++shape) {
      size_t at = Hash(batch.shapes[shape].measurement);
      while (slots_[at] != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = shape + 1;
    }
  }

  std::vector<uint32_t> slots_;  // shape + 1; 0: empty
  uint32_t last_ = 0;
};

}  // namespace tidemark::remotewrite
