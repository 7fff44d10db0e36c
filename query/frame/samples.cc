#include "query/frame/samples.h"

#include <algorithm>
#include <cmath>

#include "query/frame/exact_sum.h"
#include "storage/model/batch.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::frame {

using model::FieldType;

void Samples::Reset(const model::Column& column, bool drop_stale) {
  column_ = column;
  // A uint64 past the middle reads as a negative int64, so unsigned columns go through doubles.
  exact_ints_ = column.ints != nullptr && column.type != FieldType::kUInt;
  // An empty column of doubles has no array that would show what it is.
  const bool decimal = column.scaled() && column.scale != model::kBinaryScale;
  divisor_ = decimal ? model::PowerOfTen(column.scale) : 1.0;
  doubles_ = nullptr;
  has_nan_ = Known::kUnknown;
  bits_known_ = prefix_sums_known_ = drops_known_ = changes_known_ = false;
  if (drop_stale && column_.floats != nullptr) DropStaleRows();
}

void Samples::DropStaleRows() {
  const double* const from = column_.floats;
  const size_t count = size();
  size_t stale = 0;
  for (size_t i = 0; i < count; ++i) stale += model::IsStaleMarker(from[i]) ? 1 : 0;
  if (stale == 0) return;
  kept_times_.clear();
  kept_floats_.clear();
  for (size_t i = 0; i < count; ++i) {
    if (model::IsStaleMarker(from[i])) continue;
    kept_times_.push_back(column_.times[i]);
    kept_floats_.push_back(from[i]);
  }
  column_.times = {.size = kept_times_.size(), .first_ns = 0, .step_ns = 0, .explicit_ns = kept_times_.data()};
  column_.floats = kept_floats_.data();
}

bool Samples::SumsExactly(size_t count) {
  if (!exact_ints_) return false;
  if (!bits_known_) {
    bits_ = SumOf({column_.ints, size()}).bits;
    bits_known_ = true;
  }
  return AddUpExactly(bits_, count);
}

const double* Samples::doubles() {
  if (doubles_ != nullptr) return doubles_;
  if (column_.floats != nullptr) {
    doubles_ = column_.floats;
  } else {
    doubles_buffer_.resize(std::max<size_t>(size(), 1));
    model::ToDoubles(column_, 0, size(), doubles_buffer_.data());
    doubles_ = doubles_buffer_.data();
  }
  return doubles_;
}

bool Samples::HasNan() {
  if (column_.floats == nullptr) return false;
  if (has_nan_ == Known::kUnknown) {
    size_t nans = 0;
    for (size_t i = 0; i < size(); ++i) nans += std::isnan(column_.floats[i]) ? 1 : 0;
    has_nan_ = nans != 0 ? Known::kYes : Known::kNo;
  }
  return has_nan_ == Known::kYes;
}

const int64_t* Samples::PrefixSums() {
  if (!prefix_sums_known_) {
    prefix_sums_.resize(size() + 1);
    int64_t sum = 0;
    prefix_sums_[0] = 0;
    for (size_t i = 0; i < size(); ++i) prefix_sums_[i + 1] = sum += column_.ints[i];
    prefix_sums_known_ = true;
  }
  return prefix_sums_.data();
}

const std::vector<uint32_t>& Samples::Drops() {
  if (drops_known_) return drops_;
  drops_.clear();
  const size_t count = size();
  const auto collect = [&](const auto* values) {
    // Most counters never drop: count first, which the compiler vectorises, and collect only if there is something.
    size_t found = 0;
    for (size_t i = 1; i < count; ++i) found += values[i] < values[i - 1] ? 1 : 0;
    if (found == 0) return;
    for (size_t i = 1; i < count; ++i) {
      if (values[i] < values[i - 1]) drops_.push_back(static_cast<uint32_t>(i));
    }
  };
  if (exact_ints_ && divisor_ == 1.0 && SumsExactly(1)) {
    collect(column_.ints);
  } else {
    collect(doubles());
  }
  drops_known_ = true;
  return drops_;
}

const uint32_t* Samples::PrefixChanges() {
  if (!changes_known_) {
    const size_t count = size();
    const double* const values = doubles();
    changes_.assign(count + 1, 0);
    uint32_t changes = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0 && values[i] != values[i - 1] && !(std::isnan(values[i]) && std::isnan(values[i - 1]))) ++changes;
      changes_[i + 1] = changes;
    }
    changes_known_ = true;
  }
  return changes_.data();
}

}  // namespace tidemark::query::frame
