#include "storage/codec/runs.h"

#include <algorithm>
#include <string>

#include "storage/base/bytes.h"

namespace tidemark::codec {
namespace {

class Runs : public Candidate {
 public:
  explicit Runs(std::span<const int64_t> values) {
    bytes_.push_back(static_cast<char>(values.front()));
    for (auto run = values.begin(); run != values.end();) {
      const auto next = std::find(run, values.end(), 1 - *run);
      PutVarint(&bytes_, static_cast<uint64_t>(next - run));
      run = next;
    }
  }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace

std::unique_ptr<Candidate> PlanRuns(std::span<const int64_t> values, size_t /*limit*/, Effort /*effort*/) {
  const auto is_bit = [](int64_t value) { return value == 0 || value == 1; };
  if (!std::all_of(values.begin(), values.end(), is_bit)) return nullptr;
  return std::make_unique<Runs>(values);
}

Result<size_t> DecodeRuns(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  int64_t value = reader.Little<uint8_t>();
  if (value > 1) return Corruption("runs frame: first value " + std::to_string(value) + ", expected 0 or 1");
  for (size_t row = 0; row < count; value = 1 - value) {
    const uint64_t run = reader.Varint();
    if (!reader.ok() || run == 0 || run > count - row) return Corruption("runs frame: runs and count disagree");
    const size_t begin = std::clamp(row, rows.begin, rows.end);
    row += run;
    const size_t end = std::clamp(row, rows.begin, rows.end);
    std::fill(out + (begin - rows.begin), out + (end - rows.begin), value);
  }
  return bytes.size() - reader.remaining();
}

}  // namespace tidemark::codec
