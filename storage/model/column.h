// Column: the values of one field of one series over a range of time, as arrays; what storage hands to the query
// engine and what pages are written from. There is no value-by-value iterator anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/model/field.h"
#include "storage/model/ids.h"

namespace tidemark::model {

// Times of `size` rows, strictly ascending. A regular timeline (row i is at first_ns + i * step_ns) is never
// materialised: window boundaries on it are arithmetic.
struct Times {
  size_t size = 0;
  int64_t first_ns = 0;
  int64_t step_ns = 0;                   // > 0 when regular with more than one row; 0 for a single row
  const int64_t* explicit_ns = nullptr;  // `size` times when not regular

  [[nodiscard]] bool regular() const { return explicit_ns == nullptr; }
  [[nodiscard]] bool empty() const { return size == 0; }
  [[nodiscard]] int64_t operator[](size_t row) const {
    return explicit_ns != nullptr ? explicit_ns[row] : first_ns + static_cast<int64_t>(row) * step_ns;
  }
  [[nodiscard]] int64_t front() const { return (*this)[0]; }
  [[nodiscard]] int64_t back() const { return (*this)[size - 1]; }
  // Number of rows with a time < `ns` (LowerBound) or <= `ns` (UpperBound); arithmetic or binary search.
  [[nodiscard]] size_t LowerBound(int64_t ns) const;
  [[nodiscard]] size_t UpperBound(int64_t ns) const;
  [[nodiscard]] Times Slice(size_t begin, size_t end) const;
};

// A column that views memory of somebody else (a cursor, a builder), who says for how long.
//   kFloat, scaled   ints[i] / 10^scale, |ints[i]| < 2^53: exact (see model::Batch); floats is empty
//   kFloat, binary   floats[i]; ints is empty, scale is kBinaryScale
//   kInt             ints[i]
//   kUInt            ints[i] is the bit pattern
//   kBool            ints[i] is 0 or 1
//   kString          strings[i]
// The array in use has times.size entries; the others are null.
struct Column {
  SeriesRef ref{};
  FieldType type = FieldType::kFloat;
  uint8_t scale = 0;
  Times times{};
  const int64_t* ints = nullptr;
  const double* floats = nullptr;
  const std::string_view* strings = nullptr;

  [[nodiscard]] size_t size() const { return times.size; }
  [[nodiscard]] bool empty() const { return times.size == 0; }
  [[nodiscard]] bool scaled() const { return type == FieldType::kFloat && floats == nullptr; }
  // Rows [begin, end).
  [[nodiscard]] Column Slice(size_t begin, size_t end) const;
};

// Writes rows [begin, end) of a numeric or bool column as doubles (int64 and uint64 round to nearest) to `out`.
void ToDoubles(const Column& column, size_t begin, size_t end, double* out);
// The same for one row. Strings give a quiet NaN.
double DoubleAt(const Column& column, size_t row);

// Memory for a column that somebody fills. Reuse it: Clear keeps the capacity.
struct ColumnBuffer {
  std::vector<int64_t> times;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  std::vector<std::string_view> strings;
  std::vector<char> text;  // bytes that `strings` point into when they are not views of somebody else

  void Clear() {
    times.clear();
    ints.clear();
    floats.clear();
    strings.clear();
    text.clear();
  }
};

}  // namespace tidemark::model
