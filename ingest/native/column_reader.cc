#include "ingest/native/column_reader.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <cmath>

#include "storage/base/utf8.h"

namespace tidemark::native {
namespace {

// The values of a member of the union, or null.
template <typename T>
const T* As(const wire::Column& column) {
  return static_cast<const T*>(column.values());
}

// Takes the vector of a member that has one vector of numbers; how many there are.
template <typename T, typename Member, typename Vector>
uint32_t Take(const Member* member, const Vector* (Member::*vector)() const, Numbers<T>* out) {
  *out = Numbers<T>((member->*vector)());
  return out->size();
}

}  // namespace

FloatValue FloatOfDouble(double value) {
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  if (value > -kLimit && value < kLimit) {
    const auto whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value && !(whole == 0 && std::signbit(value))) return {whole, 0};
  }
  return {std::bit_cast<int64_t>(value), model::kBinaryScale};
}

FloatValue FloatOfDecimal(int64_t mantissa, uint8_t scale) {
  constexpr int64_t kMantissaEnd = int64_t{1} << 53;
  if (mantissa > -kMantissaEnd && mantissa < kMantissaEnd && scale <= model::kMaxScale) return {mantissa, scale};
  // Rounded once, as the digits of a text are.
  const std::string text = fmt::format("{}e-{}", mantissa, scale);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  // Below the smallest double.
  if (parsed.ec == std::errc::result_out_of_range) value = 0;
  return FloatOfDouble(value);
}

Result<uint32_t> ColumnReader::OpenStrings(const wire::StringValues& values) {
  ends_ = Numbers<uint32_t>(values.ends());
  bytes_ = TextOf(values.bytes());
  uint32_t before = 0;
  for (uint32_t i = 0; i < ends_.size(); ++i) {
    if (ends_[i] < before || ends_[i] > bytes_.size()) {
      return InvalidArgument(
          fmt::format("ends[{}] is {}, after {} and with {} bytes", i, ends_[i], before, bytes_.size()));
    }
    before = ends_[i];
  }
  return ends_.size();
}

Result<ColumnReader> ColumnReader::Open(const wire::Column& column, uint32_t rows) {
  ColumnReader out;
  out.name_ = TextOf(column.name());
  if (out.name_.empty()) return InvalidArgument("missing field key");
  if (!IsUtf8(out.name_)) return InvalidArgument("the field key is not valid UTF-8");
  out.kind_ = column.values() == nullptr ? wire::Values::NONE : column.values_type();
  uint32_t count = 0;
  switch (out.kind_) {
    case wire::Values::Int64Values:
      out.type_ = model::FieldType::kInt;
      count = Take(As<wire::Int64Values>(column), &wire::Int64Values::values, &out.longs_);
      break;
    case wire::Values::Int32Values:
      out.type_ = model::FieldType::kInt;
      count = Take(As<wire::Int32Values>(column), &wire::Int32Values::values, &out.ints_);
      break;
    case wire::Values::UInt64Values:
      out.type_ = model::FieldType::kUInt;
      count = Take(As<wire::UInt64Values>(column), &wire::UInt64Values::values, &out.ulongs_);
      break;
    case wire::Values::Float64Values:
      count = Take(As<wire::Float64Values>(column), &wire::Float64Values::values, &out.doubles_);
      break;
    case wire::Values::BoolValues:
      out.type_ = model::FieldType::kBool;
      count = Take(As<wire::BoolValues>(column), &wire::BoolValues::values, &out.bools_);
      break;
    case wire::Values::StringValues: {
      out.type_ = model::FieldType::kString;
      TM_TRY_ASSIGN(count, out.OpenStrings(*As<wire::StringValues>(column)));
      break;
    }
    case wire::Values::DecimalValues:
      out.scale_ = As<wire::DecimalValues>(column)->scale();
      count = Take(As<wire::DecimalValues>(column), &wire::DecimalValues::mantissas, &out.longs_);
      break;
    case wire::Values::Decimal32Values:
      out.scale_ = As<wire::Decimal32Values>(column)->scale();
      count = Take(As<wire::Decimal32Values>(column), &wire::Decimal32Values::mantissas, &out.ints_);
      break;
    default: return InvalidArgument("values of a type that this server does not know");
  }
  if (count != rows) return InvalidArgument(fmt::format("{} values for {} rows", count, rows));
  if (column.present() != nullptr) {
    out.present_ = TextOf(column.present());
    if (out.present_.size() != (rows + 7) / 8) {
      return InvalidArgument(fmt::format("{} bytes of present for {} rows", out.present_.size(), rows));
    }
  }
  return out;
}

void ColumnReader::MarkBad(uint32_t mark, std::span<uint32_t> marks) const {
  const auto note = [&](uint32_t row) {
    if (marks[row] == 0 && Has(row)) marks[row] = mark;
  };
  if (kind_ == wire::Values::BoolValues) {
    for (uint32_t row = 0; row < bools_.size(); ++row) {
      if (bools_[row] > 1) note(row);
    }
  } else if (kind_ == wire::Values::StringValues) {
    for (uint32_t row = 0; row < ends_.size(); ++row) {
      if (!IsUtf8(StringAt(row))) note(row);
    }
  }
}

std::string_view ColumnReader::WhyBad() const {
  return type_ == model::FieldType::kBool ? "invalid boolean: it is neither 0 nor 1" : "the string is not valid UTF-8";
}

}  // namespace tidemark::native
