#include "storage/codec/constant.h"

#include <algorithm>
#include <string>

#include "storage/base/bytes.h"

namespace tidemark::codec {
namespace {

class Constant : public Candidate {
 public:
  explicit Constant(int64_t value) { PutSignedVarint(&bytes_, value); }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace

std::unique_ptr<Candidate> PlanConstant(std::span<const int64_t> values, size_t /*limit*/, Effort /*effort*/) {
  const int64_t first = values.front();
  if (!std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == first; })) return nullptr;
  return std::make_unique<Constant>(first);
}

Result<size_t> DecodeConstant(std::string_view bytes, size_t /*count*/, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  const int64_t value = reader.SignedVarint();
  if (!reader.ok()) return Corruption("constant frame: cut short");
  std::fill(out, out + (rows.end - rows.begin), value);
  return bytes.size() - reader.remaining();
}

}  // namespace tidemark::codec
