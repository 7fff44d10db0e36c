#include "storage/codec/regular.h"

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

std::unique_ptr<Candidate> PlanRegular(std::span<const int64_t> values, size_t /*limit*/) {
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

}  // namespace tidemark::codec
