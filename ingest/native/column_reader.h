// ColumnReader: the values of one field of a table as the engine's, whichever member of the union they were sent as.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ingest/native/wire_access.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"

namespace tidemark::native {

// A view of a verified message, which outlives it.
class ColumnReader {
 public:
  // Checks the name, and that there are `rows` values. kInvalidArgument says what is wrong, without naming the table.
  static Result<ColumnReader> Open(const wire::Column& column, uint32_t rows);

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] model::FieldType type() const { return type_; }
  // Of strings.
  [[nodiscard]] uint64_t text_bytes() const { return bytes_.size(); }
  [[nodiscard]] bool sparse() const { return !present_.empty(); }
  [[nodiscard]] bool Has(uint32_t row) const {
    return present_.empty() || (static_cast<uint8_t>(present_[row / 8]) >> (row % 8) & 1U) != 0;
  }

  // Marks with `mark`, among those that are 0, the rows whose value is none: a bool over 1, a string that is not UTF-8.
  void MarkBad(uint32_t mark, std::span<uint32_t> marks) const;
  // Why a row that MarkBad marked is refused.
  [[nodiscard]] std::string_view WhyBad() const;

  // Where values go: that of the i-th row in `order` to batch->values[at(i)], and its scale. An empty order is all rows
  // as they come.
  template <typename At>
  void Copy(std::span<const uint32_t> order, uint32_t rows, const At& at, model::Batch* batch) const;

 private:
  ColumnReader() = default;
  [[nodiscard]] std::string_view StringAt(uint32_t row) const {
    const uint32_t begin = row == 0 ? 0 : ends_[row - 1];
    return bytes_.substr(begin, ends_[row] - begin);
  }
  Result<uint32_t> OpenStrings(const wire::StringValues& values);
  template <typename T, typename At, typename Put>
  static void Each(const Numbers<T>& numbers, std::span<const uint32_t> order, uint32_t rows, const At& at, Put put);
  template <typename T, typename At>
  void CopyDecimals(const Numbers<T>& mantissas, std::span<const uint32_t> order, uint32_t rows, const At& at,
                    model::Batch* batch) const;

  std::string_view name_;
  model::FieldType type_ = model::FieldType::kFloat;
  wire::Values kind_ = wire::Values::NONE;
  uint8_t scale_ = 0;
  std::string_view present_;
  // The one that is used says `kind_`.
  Numbers<int64_t> longs_;
  Numbers<int32_t> ints_;
  Numbers<uint64_t> ulongs_;
  Numbers<double> doubles_;
  Numbers<uint8_t> bools_;
  Numbers<uint32_t> ends_;
  std::string_view bytes_;
};

// A float as the engine has it: whole numbers as mantissas, which pack well; everything else by its bits.
struct FloatValue {
  int64_t value = 0;
  uint8_t scale = model::kBinaryScale;
};
FloatValue FloatOfDouble(double value);
// mantissa / 10^scale, exact where the engine can have it so, else the nearest double.
FloatValue FloatOfDecimal(int64_t mantissa, uint8_t scale);

template <typename T, typename At, typename Put>
void ColumnReader::Each(const Numbers<T>& numbers, std::span<const uint32_t> order, uint32_t rows, const At& at,
                        Put put) {
  if (order.empty()) {
    for (uint32_t i = 0; i < rows; ++i) put(at(i), numbers[i]);
  } else {
    for (uint32_t i = 0; i < order.size(); ++i) put(at(i), numbers[order[i]]);
  }
}

template <typename T, typename At>
void ColumnReader::CopyDecimals(const Numbers<T>& mantissas, std::span<const uint32_t> order, uint32_t rows,
                                const At& at, model::Batch* batch) const {
  constexpr int64_t kMantissaEnd = int64_t{1} << 53;
  int64_t* const out = batch->values.data();
  uint8_t* const scales = batch->scales.data();
  Each(mantissas, order, rows, at, [&](size_t place, int64_t mantissa) {
    if (mantissa > -kMantissaEnd && mantissa < kMantissaEnd && scale_ <= model::kMaxScale) [[likely]] {
      out[place] = mantissa;
      scales[place] = scale_;
    } else {
      const FloatValue value = FloatOfDecimal(mantissa, scale_);
      out[place] = value.value;
      scales[place] = value.scale;
    }
  });
}

template <typename At>
void ColumnReader::Copy(std::span<const uint32_t> order, uint32_t rows, const At& at, model::Batch* batch) const {
  int64_t* const out = batch->values.data();
  uint8_t* const scales = batch->scales.data();
  // Scales of all but floats are 0 already.
  const auto plain = [&](size_t place, auto value) { out[place] = static_cast<int64_t>(value); };
  switch (kind_) {
    case wire::Values::Int64Values: return Each(longs_, order, rows, at, plain);
    case wire::Values::Int32Values: return Each(ints_, order, rows, at, plain);
    case wire::Values::UInt64Values: return Each(ulongs_, order, rows, at, plain);
    case wire::Values::BoolValues: return Each(bools_, order, rows, at, plain);
    case wire::Values::DecimalValues: return CopyDecimals(longs_, order, rows, at, batch);
    case wire::Values::Decimal32Values: return CopyDecimals(ints_, order, rows, at, batch);
    case wire::Values::Float64Values:
      return Each(doubles_, order, rows, at, [&](size_t place, double value) {
        const FloatValue exact = FloatOfDouble(value);
        out[place] = exact.value;
        scales[place] = exact.scale;
      });
    case wire::Values::StringValues: {
      const size_t count = order.empty() ? rows : order.size();
      for (uint32_t i = 0; i < count; ++i) {
        out[at(i)] = static_cast<int64_t>(batch->strings.size());
        batch->strings.push_back(StringAt(order.empty() ? i : order[i]));
      }
      return;
    }
    case wire::Values::NONE: return;
  }
}

}  // namespace tidemark::native
