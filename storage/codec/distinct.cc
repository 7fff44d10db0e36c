#include "storage/codec/distinct.h"

#include <algorithm>
#include <array>
#include <string>

#include "storage/base/bytes.h"
#include "storage/codec/ints.h"
#include "storage/codec/kernels.h"
#include "storage/codec/sampling.h"

namespace tidemark::codec {
namespace {

// Below this the two frames inside cost more than they save.
constexpr size_t kMinValues = 64;
constexpr size_t kSample = 32;
// Of the sample so many have a value that another one has too. Of numbers drawn from 250 it is four on average.
constexpr size_t kLeastRepeats = 3;
// For values that take eight bytes otherwise.
constexpr size_t kLargeSample = 128;
constexpr size_t kLeastOfLargeSample = 10;
// Within a smaller span the entropy codec has a symbol for each value.
constexpr uint64_t kLeastSpan = 256;

class Distinct : public Candidate {
 public:
  Distinct(const DistinctValues& found, Effort effort) {
    PutVarint(&bytes_, found.values.size());
    Add(found.values, effort);
    Add(found.places, effort);
  }
  [[nodiscard]] size_t bytes() const override { return bytes_.size(); }
  void Append(std::string* out) const override { out->append(bytes_); }

 private:
  void Add(std::span<const int64_t> values, Effort effort) {
    const Choice choice = ChooseIntCodec(values, effort, {CodecId::kDistinct, CodecId::kMultiple});
    bytes_.push_back(static_cast<char>(choice.id));
    choice.candidate->Append(&bytes_);
  }

  std::string bytes_;
};

// The frame that begins there.
Result<std::string_view> InnerFrame(std::string_view bytes) {
  if (bytes.empty()) return Corruption("distinct frame: cut short");
  const auto id = static_cast<CodecId>(bytes[0]);
  // Frames inside frames without end would overflow the stack.
  if (id == CodecId::kDistinct || id == CodecId::kMultiple) return Corruption("distinct frame: nested");
  return bytes;
}

template <size_t Size>
struct Sample {
  explicit Sample(std::span<const int64_t> values) {
    for (size_t i = 0; i < Size; ++i) sorted[i] = values[SampledRow(i, values.size())];
    std::sort(sorted.begin(), sorted.end());
  }
  std::array<int64_t, Size> sorted;
  [[nodiscard]] uint64_t span() const {
    return static_cast<uint64_t>(sorted.back()) - static_cast<uint64_t>(sorted.front());
  }
  [[nodiscard]] size_t repeats() const {
    size_t found = 0;
    for (size_t i = 1; i < Size; ++i) found += sorted[i] == sorted[i - 1] ? 1 : 0;
    return found;
  }
};

}  // namespace

bool ValuesRepeat(std::span<const int64_t> values) {
  return values.size() >= kMinValues && Sample<kLargeSample>(values).repeats() >= kLeastOfLargeSample;
}

DistinctValues FindDistinct(std::span<const int64_t> values, size_t most) {
  DistinctValues found;
  std::vector<int64_t> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.size() > most) return found;
  found.places.resize(values.size());
  for (size_t row = 0; row < values.size(); ++row) {
    if (row > 0 && values[row] == values[row - 1]) {
      found.places[row] = found.places[row - 1];
    } else {
      found.places[row] = std::lower_bound(sorted.begin(), sorted.end(), values[row]) - sorted.begin();
    }
  }
  found.values = std::move(sorted);
  return found;
}

Result<void> CheckPlaces(std::span<const int64_t> places, size_t size) {
  const auto* const words = reinterpret_cast<const uint64_t*>(places.data());
  const size_t whole = places.size() / kStride * kStride;
  uint64_t above = 0;
  for (size_t begin = 0; begin < whole; begin += kBlock) {
    above += BestKernels().above(words + begin, std::min(kBlock, whole - begin), size - 1).count;
  }
  for (size_t i = whole; i < places.size(); ++i) above += words[i] >= size ? 1 : 0;
  if (above == 0) return {};
  return Corruption("distinct frame: " + std::to_string(above) + " places are not below " + std::to_string(size));
}

std::unique_ptr<Candidate> PlanDistinct(std::span<const int64_t> values, size_t limit, Effort effort) {
  if (values.size() < kMinValues) return nullptr;
  const Sample<kSample> sample(values);
  if (sample.span() < kLeastSpan || sample.repeats() < kLeastRepeats) return nullptr;
  const DistinctValues found = FindDistinct(values, values.size() / 2);
  if (found.values.empty()) return nullptr;
  auto candidate = std::make_unique<Distinct>(found, effort);
  return candidate->bytes() < MostBytes(limit, effort) ? std::move(candidate) : nullptr;
}

Result<size_t> DecodeDistinct(std::string_view bytes, size_t count, RowRange rows, int64_t* out) {
  ByteReader reader(bytes);
  const uint64_t size = reader.Varint();
  if (!reader.ok() || size == 0 || size > count) {
    return Corruption("distinct frame: " + std::to_string(size) + " values of " + std::to_string(count) + " rows");
  }
  size_t used = bytes.size() - reader.remaining();
  std::vector<int64_t> distinct(size);
  TM_TRY_ASSIGN(const std::string_view values, InnerFrame(bytes.substr(used)));
  TM_TRY_ASSIGN(const size_t values_bytes, DecodeInts(values, size, distinct.data()));
  used += values_bytes;
  TM_TRY_ASSIGN(const std::string_view places, InnerFrame(bytes.substr(used)));
  TM_TRY_ASSIGN(const size_t places_bytes, DecodeInts(places, count, rows, out));
  const std::span<int64_t> found(out, rows.end - rows.begin);
  TM_RETURN_IF_ERROR(CheckPlaces(found, size));
  for (int64_t& value : found) value = distinct[static_cast<size_t>(value)];
  return used + places_bytes;
}

}  // namespace tidemark::codec
