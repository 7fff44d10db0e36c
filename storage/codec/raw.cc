#include "storage/codec/raw.h"

#include <cstring>
#include <string>

namespace tidemark::codec {
namespace {

class Raw : public Candidate {
 public:
  explicit Raw(std::span<const int64_t> values) : values_(values) {}
  [[nodiscard]] size_t bytes() const override { return values_.size_bytes(); }
  void Append(std::string* out) const override {
    out->append(reinterpret_cast<const char*>(values_.data()), values_.size_bytes());
  }

 private:
  std::span<const int64_t> values_;
};

}  // namespace

std::unique_ptr<Candidate> PlanRaw(std::span<const int64_t> values, size_t /*limit*/, Effort /*effort*/) {
  return std::make_unique<Raw>(values);
}

Result<size_t> DecodeRaw(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  if (bytes.size() / sizeof(int64_t) < count) return Corruption("raw frame: cut short");
  if (rows.end > rows.begin) {
    std::memcpy(out, bytes.data() + rows.begin * sizeof(int64_t), (rows.end - rows.begin) * sizeof(int64_t));
  }
  return count * sizeof(int64_t);
}

}  // namespace tidemark::codec
