// SeriesList: which series have rows of which field in one slab or epoch, as runs of ids, so that nobody need read a
// page to tell who was there. Fields of one measurement mostly have the same series, and ids are given in the order in
// which series come, so that a list is mostly short. Format: storage/FORMAT.md, "Series of an epoch".
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/ids.h"

namespace tidemark::storage::partition {

// Series first..last, both included.
struct SeriesRun {
  uint32_t first = 0;
  uint32_t last = 0;
  friend bool operator==(const SeriesRun&, const SeriesRun&) = default;
};

class SeriesList {
 public:
  // Ascending, disjoint, not adjacent; empty when the field has no rows.
  [[nodiscard]] std::span<const SeriesRun> RunsOf(model::FieldId field) const;
  [[nodiscard]] bool Contains(model::SeriesRef ref) const;
  [[nodiscard]] bool empty() const { return fields_.empty(); }
  // Those that have rows, ascending.
  [[nodiscard]] std::vector<model::FieldId> Fields() const;
  // How many series of a field there are, of all fields together.
  [[nodiscard]] uint64_t size() const;
  // The same without the series for which `dropped` is true.
  [[nodiscard]] SeriesList Without(const std::function<bool(model::SeriesRef)>& dropped) const;

  [[nodiscard]] std::string Encode() const;
  // Errors: kCorruption, kUnsupported.
  static Result<SeriesList> Decode(std::string_view bytes);

 private:
  friend class SeriesListBuilder;
  struct Field {
    model::FieldId field{};
    uint32_t set = 0;  // in sets_
  };

  std::vector<Field> fields_;  // ascending
  std::vector<std::vector<SeriesRun>> sets_;
};

// Not thread-safe.
class SeriesListBuilder {
 public:
  // `place` is a hint: where the field stands among those of its measurement, from 0. The series of a field ascend.
  void Add(model::FieldId field, model::SeriesId series, size_t place);
  // The same of series that follow each other.
  void Add(model::FieldId field, SeriesRun run, size_t place);
  // After the last series of a measurement; a field belongs to one.
  void FinishMeasurement();
  SeriesList Finish();

 private:
  struct Growing {
    model::FieldId field{};
    std::vector<SeriesRun> runs;
  };
  std::vector<Growing> growing_;                 // of the measurement
  std::unordered_map<uint32_t, size_t> places_;  // in growing_, by field
  SeriesList list_;
};

}  // namespace tidemark::storage::partition
