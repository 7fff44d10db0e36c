#include "ingest/native/series_dictionary.h"

#include <fmt/core.h>

#include <algorithm>

#include "ingest/native/wire_access.h"
#include "storage/base/bytes.h"

namespace tidemark::native {
namespace {

// Beside a key itself: its entry, and its share of vectors that grow.
constexpr uint64_t kBytesPerSeries =
    2 * (sizeof(SeriesDictionary::Series) + sizeof(uint32_t)) + SeriesIds::kBytesPerSeries;

// The keys of a run, whose ends ascend within its bytes.
class Run {
 public:
  explicit Run(const wire::Dictionary& run) : ends_(run.key_ends()), bytes_(TextOf(run.keys())) {}

  [[nodiscard]] Result<void> Check() const {
    uint32_t before = 0;
    for (uint32_t i = 0; i < ends_.size(); ++i) {
      const uint32_t end = ends_[i];
      if (end < before || end > bytes_.size()) {
        return InvalidArgument(fmt::format("dictionary: key_ends[{}] is {}, after {} and with {} bytes of keys", i, end,
                                           before, bytes_.size()));
      }
      before = end;
    }
    if (before != bytes_.size()) {
      return InvalidArgument(
          fmt::format("dictionary: keys has {} bytes, of which key_ends names {}", bytes_.size(), before));
    }
    return {};
  }
  [[nodiscard]] uint32_t size() const { return ends_.size(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_.size(); }
  [[nodiscard]] std::string_view operator[](uint32_t i) const {
    const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
    return bytes_.substr(begin, ends_[i] - begin);
  }

 private:
  Numbers<uint32_t> ends_;
  std::string_view bytes_;
};

}  // namespace

uint32_t SeriesDictionary::MeasurementOf(std::string_view name) {
  // Series mostly come one measurement after the other.
  if (last_ < measurements_.size() && measurements_[last_] == name) return last_;
  const auto [at, is_new] = by_name_.try_emplace(name, static_cast<uint32_t>(measurements_.size()));
  if (is_new) measurements_.push_back(name);
  return last_ = at->second;
}

void SeriesDictionary::MakeRoom(size_t more) {
  // At least twice as much as there was: senders bring series in runs of one, and each run would copy all before it.
  const size_t needed = series_.size() + more;
  if (needed <= series_.capacity()) return;
  const size_t capacity = std::max(needed, 2 * series_.capacity());
  series_.reserve(capacity);
  measurement_of_.reserve(capacity);
}

Result<void> SeriesDictionary::Add(const wire::Dictionary& message, const Limits& limits, Keys keys, KnownKeys* known) {
  const Run run(message);
  const uint32_t first = message.first();
  if (run.size() == 0) return {};
  TM_RETURN_IF_ERROR(run.Check());
  if (first > size()) {
    return MakeError(ErrorCode::kNotFound,
                     fmt::format("series {} to {} of the dictionary are not known here; define all of them anew",
                                 size(), first - 1));
  }
  if (uint64_t{first} + run.size() > limits.max_series) {
    return LimitExceeded(fmt::format("a dictionary with more than {} series", limits.max_series));
  }
  const uint32_t again = std::min(size() - first, run.size());
  for (uint32_t i = 0; i < again; ++i) {
    if (series_[first + i].key.bytes != run[i]) {
      return MakeError(ErrorCode::kConflict,
                       fmt::format("series {} is {} and cannot become {}; other series need another generation",
                                   first + i, PrintKey(series_[first + i].key.bytes), PrintKey(run[i])));
    }
  }
  if (bytes() + run.bytes() + uint64_t{run.size() - again} * kBytesPerSeries > limits.max_dictionary_bytes) {
    return LimitExceeded(fmt::format("a dictionary of more than {} bytes", limits.max_dictionary_bytes));
  }
  if (keys == Keys::kCopied && ids_ == nullptr) ids_ = std::make_unique<SeriesIds>();
  const size_t before = series_.size();
  MakeRoom(run.size() - again);
  for (uint32_t i = again; i < run.size(); ++i) {
    Series& series = series_.emplace_back();
    series.key.format = model::KeyFormat::kCanonical;
    series.key.bytes = keys == Keys::kCopied ? arena_.Copy(run[i]) : run[i];
    series.key.hash = model::HashSeriesKey(series.key.format, series.key.bytes);
    if (known != nullptr && known->Has(series.key.hash)) {
      series.measurement = MeasurementOf(ByteReader(series.key.bytes).String());
      continue;
    }
    const auto measurement = CheckKey(series.key.bytes, limits.max_key_bytes);
    if (!measurement.ok()) continue;
    series.measurement = MeasurementOf(*measurement);
    if (known != nullptr) known->Add(series.key.hash);
  }
  for (size_t i = before; i < series_.size(); ++i) measurement_of_.push_back(series_[i].measurement);
  return {};
}

void SeriesDictionary::Clear() {
  series_.clear();
  measurement_of_.clear();
  measurements_.clear();
  by_name_.clear();
  last_ = 0;
  ids_ = nullptr;
  arena_.Clear();
}

uint64_t SeriesDictionary::bytes() const {
  return arena_.allocated_bytes() + series_.capacity() * (sizeof(Series) + sizeof(uint32_t)) +
         measurements_.size() * 64 + (ids_ == nullptr ? 0 : series_.size() * SeriesIds::kBytesPerSeries);
}

}  // namespace tidemark::native
