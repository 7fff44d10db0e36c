#include "storage/codec/regular.h"

#include <algorithm>
#include <limits>
#include <string>

#include "storage/base/bytes.h"

namespace tidemark::codec {
namespace {

class Regular : public Candidate {
 public:
  Regular(int64_t first, int64_t step) {
    PutSignedVarint(&bytes_, first);
    PutSignedVarint(&bytes_, step);
  }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  std::string bytes_;
};

uint64_t Difference(int64_t later, int64_t earlier) {
  return static_cast<uint64_t>(later) - static_cast<uint64_t>(earlier);
}

}  // namespace

std::unique_ptr<Candidate> PlanRegular(std::span<const int64_t> values, size_t /*limit*/, Effort /*effort*/) {
  if (values.size() < 2) return nullptr;
  const uint64_t step = Difference(values[1], values[0]);
  for (size_t i = 2; i < values.size(); ++i) {
    if (Difference(values[i], values[i - 1]) != step) return nullptr;
  }
  return std::make_unique<Regular>(values[0], static_cast<int64_t>(step));
}

Result<size_t> DecodeRegular(std::string_view bytes, size_t /*count*/, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  const auto first = static_cast<uint64_t>(reader.SignedVarint());
  const auto step = static_cast<uint64_t>(reader.SignedVarint());
  if (!reader.ok()) return Corruption("regular frame: cut short");
  for (size_t row = rows.begin; row < rows.end; ++row) {
    out[row - rows.begin] = static_cast<int64_t>(first + row * step);
  }
  return bytes.size() - reader.remaining();
}

Result<RowRange> NarrowRegular(std::string_view bytes, size_t count, int64_t low, int64_t high) {
  ByteReader reader(bytes);
  const int64_t first = reader.SignedVarint();
  const int64_t step = reader.SignedVarint();
  if (!reader.ok()) return Corruption("regular frame: cut short");
  int64_t span;
  int64_t last;
  if (step <= 0 || count > static_cast<size_t>(std::numeric_limits<int64_t>::max()) ||
      __builtin_mul_overflow(step, static_cast<int64_t>(count - 1), &span) ||
      __builtin_add_overflow(first, span, &last)) {
    return RowRange{0, count};
  }
  // Of the values up to `value`, which is not below the first, all but one.
  const auto rows_below = [&](int64_t value) {
    return (static_cast<uint64_t>(value) - static_cast<uint64_t>(first)) / static_cast<uint64_t>(step);
  };
  RowRange rows{0, count};
  if (low > last || high < first) return RowRange{};
  if (low > first) rows.begin = rows_below(low - 1) + 1;
  if (high < last) rows.end = rows_below(high) + 1;
  rows.begin = std::min(rows.begin, rows.end);
  return rows;
}

}  // namespace tidemark::codec
