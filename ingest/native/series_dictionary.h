// SeriesDictionary: the series that a sender calls by numbers, with their hashes and measurements, so that a row costs
// no look at its series' name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ingest/native/limits.h"
#include "ingest/native/series_ids.h"
#include "ingest/native/series_key_check.h"
#include "storage/base/arena.h"
#include "storage/base/result.h"
#include "storage/model/batch.h"

namespace tidemark::wire {
struct Dictionary;
}

namespace tidemark::native {

// Not thread-safe; DictionaryBook shares those that are remembered.
class SeriesDictionary {
 public:
  // In place of a measurement: the key is none, and rows of the series are refused.
  static constexpr uint32_t kRefused = UINT32_MAX;

  struct Series {
    model::SeriesKey key;
    uint32_t measurement = kRefused;  // a place in measurements()
  };

  // Whether the bytes of keys outlive the message that brought them.
  enum class Keys : uint8_t { kViewed, kCopied };

  // Takes the run of series of a verified message. Those that are here already must have the same keys. `known` spares
  // checks; null: none are spared. Errors, after which nothing has changed: kInvalidArgument for a run whose ends are
  // none, kNotFound for one that begins beyond the end, kConflict for a series that was defined otherwise,
  // kLimitExceeded.
  Result<void> Add(const wire::Dictionary& run, const Limits& limits, Keys keys, KnownKeys* known);

  void Clear();
  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(series_.size()); }
  [[nodiscard]] const Series& operator[](uint32_t number) const { return series_[number]; }
  // Asks for an entry that is soon looked at.
  void Prefetch(uint32_t number) const {
    const Series* const at = series_.data() + number;
    __builtin_prefetch(at);
    // It may lie across the end of a line.
    __builtin_prefetch(reinterpret_cast<const char*>(at + 1) - 1);
  }
  // operator[](number).measurement, of which many lie in one cache line.
  [[nodiscard]] uint32_t MeasurementAt(uint32_t number) const { return measurement_of_[number]; }
  [[nodiscard]] const std::vector<std::string_view>& measurements() const { return measurements_; }
  // What ids its series have, where it outlives the message that brought it; else null. Lives as long as this does.
  [[nodiscard]] model::KnownSeries* ids() const { return ids_.get(); }
  // Memory, roughly; with what its series' ids may take.
  [[nodiscard]] uint64_t bytes() const;

 private:
  uint32_t MeasurementOf(std::string_view name);
  void MakeRoom(size_t more);

  std::vector<Series> series_;
  std::vector<uint32_t> measurement_of_;        // by series
  std::vector<std::string_view> measurements_;  // into keys
  std::unordered_map<std::string_view, uint32_t> by_name_;
  uint32_t last_ = 0;
  std::unique_ptr<SeriesIds> ids_;
  Arena arena_{4096};
};

}  // namespace tidemark::native
