#include "storage/rescue/page_names.h"

#include <fmt/core.h>

#include "storage/base/text/instant.h"

#include "storage/partition/page_kinds.h"

namespace tidemark::storage::rescue {

std::string SeriesText(const index::Index& index, model::SeriesRef ref) {
  model::LabelViews labels;
  index.LabelsOf(ref, &labels);
  std::string metric;
  std::string rest;
  for (const model::LabelView& label : labels) {
    if (label.name == model::kMetricNameLabel) {
      metric = label.value;
    } else {
      rest += fmt::format("{}{}=\"{}\"", rest.empty() ? "" : ",", label.name, label.value);
    }
  }
  return fmt::format("{}{{{}}}", metric, rest);
}

Result<std::unique_ptr<index::Index>> LoadSavedIndex(const rocks::RocksStore& rocks,
                                                     const meta::DatabaseRecord& database) {
  std::unique_ptr<index::Index> index = index::Index::Create({});
  TM_RETURN_IF_ERROR(rocks.ForEach(rocks::Family::kIndex, rocks::IndexKey(database.id, {}),
                                   [&](std::string_view key, std::string_view value) {
                                     return index->Load(key.substr(rocks::kIndexKeyPrefixBytes), value);
                                   }));
  TM_RETURN_IF_ERROR(index->FinishLoad());
  return index;
}

std::string NameOf(const meta::EpochRecord& epoch, const std::string& name) {
  return fmt::format("epoch {} of database {}, partition {} ({} h)", epoch.epoch, name,
                     text::PrintSecond(epoch.partition_start_ns), epoch.partition_ns / 3'600'000'000'000);
}

std::string NameOf(const partition::PageInfo& page, const index::Index* index) {
  const std::string part = page.part > 0 ? fmt::format(", part {}", page.part) : "";
  const uint32_t field = model::Number(page.field);
  const uint32_t series = model::Number(page.first_series);
  if (field == 0) return fmt::format("times {} to {}{}", series, model::Number(page.last_series), part);
  std::string kind;
  if (const partition::PageKindRow& row = partition::KindOf(page); row.of_tier) {
    kind = fmt::format("{} of tier {}, ", row.name, rocks::TierOfPage(page.tier));
  }
  if (index == nullptr || field > index->Stats().fields || series == 0 || series > index->Stats().series) {
    return fmt::format("{}measurement {}, field {}, series {} to {}{}", kind, model::Number(page.measurement), field,
                       series, model::Number(page.last_series), part);
  }
  const index::FieldInfo info = index->Field(page.field);
  return fmt::format("{}measurement {}, field {}, first series {}{}", kind, info.measurement_name, info.name,
                     SeriesText(*index, {page.field, page.first_series}), part);
}

}  // namespace tidemark::storage::rescue
