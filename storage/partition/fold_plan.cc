#include "storage/partition/fold_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "storage/page/encoded_page.h"

namespace tidemark::storage::partition {
namespace {

struct Measured {
  std::map<model::FieldId, uint64_t> bytes;  // by field
};

// The first series of each band, ascending, cut so that a band has about `unit_bytes` of the largest field.
std::vector<model::SeriesId> CutBands(std::span<const PageDirectory* const> directories,
                                      model::MeasurementId measurement, const Measured& measured, uint64_t unit_bytes) {
  std::vector<model::SeriesId> cuts{model::SeriesId{0}};
  const auto largest = std::max_element(measured.bytes.begin(), measured.bytes.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  if (largest->second <= unit_bytes) return cuts;
  std::vector<std::pair<model::SeriesId, uint64_t>> pages;
  for (const PageDirectory* directory : directories) {
    const PageRange range = directory->OfField(rocks::kRawTier, measurement, largest->first);
    for (size_t i = range.begin; i < range.end; ++i) {
      const PageInfo& page = directory->pages()[i];
      pages.emplace_back(page.first_series, page.bytes);
    }
  }
  std::sort(pages.begin(), pages.end());
  uint64_t bytes = 0;
  for (const auto& [first, of_page] : pages) {
    if (bytes >= unit_bytes && first > cuts.back()) {
      cuts.push_back(first);
      bytes = 0;
    }
    bytes += of_page;
  }
  return cuts;
}

// Of each field the younger ones of its name. Fields ascend, and one that gets the name of another is made after it.
std::vector<std::vector<model::FieldId>> LinkChains(const Measured& measured,
                                                    const std::function<model::FieldId(model::FieldId)>& newest_of) {
  std::vector<std::vector<model::FieldId>> younger(measured.bytes.size());
  if (!newest_of || measured.bytes.size() < 2) return younger;
  std::unordered_map<model::FieldId, std::vector<model::FieldId>> of_name;  // by the newest of the name
  size_t place = measured.bytes.size();
  for (auto at = measured.bytes.rbegin(); at != measured.bytes.rend(); ++at) {
    std::vector<model::FieldId>& fields = of_name[newest_of(at->first)];
    younger[--place] = fields;
    fields.push_back(at->first);
  }
  return younger;
}

}  // namespace

PageRange PagesOf(const PageDirectory& directory, const FoldUnit& unit, model::FieldId field) {
  const PageRange all = directory.OfField(rocks::kRawTier, unit.measurement, field);
  const auto begin = directory.pages().begin() + static_cast<std::ptrdiff_t>(all.begin);
  const auto end = directory.pages().begin() + static_cast<std::ptrdiff_t>(all.end);
  const auto first =
      std::partition_point(begin, end, [&](const PageInfo& page) { return page.last_series < unit.first; });
  const auto past =
      std::partition_point(first, end, [&](const PageInfo& page) { return page.first_series <= unit.last; });
  return {all.begin + static_cast<size_t>(first - begin), all.begin + static_cast<size_t>(past - begin)};
}

FoldPlan PlanFold(std::span<const PageDirectory* const> directories,
                  const std::function<model::FieldId(model::FieldId)>& newest_of, uint64_t unit_bytes) {
  std::map<model::MeasurementId, Measured> measurements;
  for (const PageDirectory* directory : directories) {
    for (const PageInfo& page : directory->pages()) {
      if (page.tier != rocks::kRawTier || page.field == page::kTimelineField) continue;
      measurements[page.measurement].bytes[page.field] += page.bytes;
    }
  }
  FoldPlan plan;
  uint64_t of_task = 0;
  for (const auto& [measurement, measured] : measurements) {
    const std::vector<std::vector<model::FieldId>> younger = LinkChains(measured, newest_of);
    const std::vector<model::SeriesId> cuts = CutBands(directories, measurement, measured, unit_bytes);
    for (size_t band = 0; band < cuts.size(); ++band) {
      const uint32_t last =
          band + 1 < cuts.size() ? model::Number(cuts[band + 1]) - 1 : std::numeric_limits<uint32_t>::max();
      size_t place = 0;
      for (const auto& [field, _] : measured.bytes) {
        FoldUnit unit{measurement, field, place, cuts[band], model::SeriesId{last}, 0, younger[place]};
        ++place;
        for (const PageDirectory* directory : directories) {
          const PageRange pages = PagesOf(*directory, unit, field);
          for (size_t i = pages.begin; i < pages.end; ++i) unit.bytes += directory->pages()[i].bytes;
        }
        if (unit.bytes == 0) continue;
        plan.bytes += unit.bytes;
        of_task += unit.bytes;
        plan.units.push_back(std::move(unit));
        if (of_task < unit_bytes) continue;
        plan.task_ends.push_back(plan.units.size());
        of_task = 0;
      }
    }
  }
  if (plan.task_ends.empty() || plan.task_ends.back() != plan.units.size()) plan.task_ends.push_back(plan.units.size());
  return plan;
}

}  // namespace tidemark::storage::partition
