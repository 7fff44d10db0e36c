// FoldPlan: a fold cut into units that need nothing of each other: the rows of one field of some series.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/model/ids.h"
#include "storage/partition/page_directory.h"

namespace tidemark::storage::partition {

// The rows of `field` of the series first..last, both included.
struct FoldUnit {
  model::MeasurementId measurement{};
  model::FieldId field{};
  size_t place = 0;  // of the field among those of its measurement
  model::SeriesId first{};
  model::SeriesId last{};
  uint64_t bytes = 0;  // of the pages that are read for it
  // Younger fields of the same name, ascending: their rows take the place of these at the same times.
  std::vector<model::FieldId> younger = {};
};

struct FoldPlan {
  // By measurement, then by series, then by field: fields of one row have the same times, which are kept once when they
  // are seen soon after each other.
  std::vector<FoldUnit> units;
  // Units [task_ends[i - 1], task_ends[i]) are worth a task, but for the last one.
  std::vector<size_t> task_ends;
  uint64_t bytes = 0;
};

// Of the raw pages that `directories` list. `newest_of`: the youngest field of a name, of any of its fields; null: no
// name has several. A unit reads about `unit_bytes` of pages, where the pages are not larger.
FoldPlan PlanFold(std::span<const PageDirectory* const> directories,
                  const std::function<model::FieldId(model::FieldId)>& newest_of, uint64_t unit_bytes);

// The raw pages of a unit's field, or of another one of its measurement, that may hold series of it.
PageRange PagesOf(const PageDirectory& directory, const FoldUnit& unit, model::FieldId field);

}  // namespace tidemark::storage::partition
