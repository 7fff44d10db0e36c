// Samples: one series' column as kernels want it: stale markers taken out or looked at, values as exact integers where
// they are, as doubles when somebody asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "storage/model/column.h"

namespace tidemark::query::frame {

// Reused for one series after the other; keeps its memory. Not thread-safe.
class Samples {
 public:
  // Takes the rows of `column`, whose memory must stay until the next call. With `drop_stale` rows that hold the stale
  // marker are left out.
  void Reset(const model::Column& column, bool drop_stale);

  [[nodiscard]] const model::Times& times() const { return column_.times; }
  [[nodiscard]] size_t size() const { return column_.times.size; }

  // The values times divisor(), exact, or null when they are not integers.
  [[nodiscard]] const int64_t* ints() const { return exact_ints_ ? column_.ints : nullptr; }
  [[nodiscard]] double divisor() const { return divisor_; }
  // The power of ten that divisor() is.
  [[nodiscard]] uint8_t scale() const { return divisor_ == 1.0 ? uint8_t{0} : column_.scale; }
  // Whether the sum of any `count` of ints() is exact as a double, whatever the order. False without ints().
  [[nodiscard]] bool SumsExactly(size_t count);

  // All values. Computed at the first call.
  [[nodiscard]] const double* doubles();
  // One value; cheaper than doubles() for a few.
  [[nodiscard]] double At(size_t row) const {
    return column_.floats != nullptr ? column_.floats[row] : model::DoubleAt(column_, row);
  }
  // Whether some value is NaN.
  [[nodiscard]] bool HasNan();

  // Sums of all values before each row, times divisor(): size() + 1 entries. Only where SumsExactly(size()).
  [[nodiscard]] const int64_t* PrefixSums();
  // Rows at which the value is lower than the one before: a counter's resets, ascending.
  [[nodiscard]] const std::vector<uint32_t>& Drops();
  // Number of rows before each row that differ from their predecessor: size() + 1 entries.
  [[nodiscard]] const uint32_t* PrefixChanges();

 private:
  void DropStaleRows();

  model::Column column_;
  bool exact_ints_ = false;
  double divisor_ = 1;
  std::vector<int64_t> kept_times_;
  std::vector<double> kept_floats_;

  enum class Known : uint8_t { kUnknown, kNo, kYes };
  const double* doubles_ = nullptr;
  std::vector<double> doubles_buffer_;
  Known has_nan_ = Known::kUnknown;
  bool bits_known_ = false;
  uint64_t bits_ = 0;  // of the magnitudes of ints()
  bool prefix_sums_known_ = false;
  std::vector<int64_t> prefix_sums_;
  bool drops_known_ = false;
  std::vector<uint32_t> drops_;
  bool changes_known_ = false;
  std::vector<uint32_t> changes_;
};

}  // namespace tidemark::query::frame
