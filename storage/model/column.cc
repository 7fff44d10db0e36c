#include "storage/model/column.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "storage/model/batch.h"

namespace tidemark::model {

size_t Times::LowerBound(int64_t ns) const {
  if (size == 0) return 0;
  if (!regular()) return static_cast<size_t>(std::lower_bound(explicit_ns, explicit_ns + size, ns) - explicit_ns);
  if (ns <= first_ns) return 0;
  if (step_ns == 0) return 1;
  // Unsigned: ns - first_ns may exceed int64 when the ends lie far apart.
  const uint64_t distance = static_cast<uint64_t>(ns) - static_cast<uint64_t>(first_ns);
  const uint64_t rows = (distance - 1) / static_cast<uint64_t>(step_ns) + 1;
  return rows < size ? static_cast<size_t>(rows) : size;
}

size_t Times::UpperBound(int64_t ns) const {
  if (ns == std::numeric_limits<int64_t>::max()) return size;
  return LowerBound(ns + 1);
}

Times Times::Slice(size_t begin, size_t end) const {
  Times out = *this;
  out.size = end - begin;
  if (explicit_ns != nullptr) {
    out.explicit_ns = explicit_ns + begin;
  } else {
    out.first_ns = first_ns + static_cast<int64_t>(begin) * step_ns;
  }
  return out;
}

Column Column::Slice(size_t begin, size_t end) const {
  Column out = *this;
  out.times = times.Slice(begin, end);
  if (ints != nullptr) out.ints = ints + begin;
  if (floats != nullptr) out.floats = floats + begin;
  if (strings != nullptr) out.strings = strings + begin;
  return out;
}

double DoubleAt(const Column& column, size_t row) {
  switch (column.type) {
    case FieldType::kFloat:
      return column.floats != nullptr ? column.floats[row] : FloatOf(column.ints[row], column.scale);
    case FieldType::kInt:
    case FieldType::kBool: return static_cast<double>(column.ints[row]);
    case FieldType::kUInt: return static_cast<double>(std::bit_cast<uint64_t>(column.ints[row]));
    case FieldType::kString: break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

void ToDoubles(const Column& column, size_t begin, size_t end, double* out) {
  if (column.floats != nullptr) {
    std::copy(column.floats + begin, column.floats + end, out);
    return;
  }
  if (column.ints == nullptr) {
    std::fill(out, out + (end - begin), std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const int64_t* const ints = column.ints + begin;
  const size_t count = end - begin;
  if (column.type == FieldType::kUInt) {
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<double>(std::bit_cast<uint64_t>(ints[i]));
    return;
  }
  if (column.type == FieldType::kFloat && column.scale != 0) {
    const double divisor = PowerOfTen(column.scale);
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<double>(ints[i]) / divisor;
    return;
  }
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<double>(ints[i]);
}

}  // namespace tidemark::model
