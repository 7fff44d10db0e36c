#include "storage/index/field_facts.h"

#include "storage/model/type_conflicts.h"

namespace tidemark::index {

FieldInfo InfoOf(const Catalog& catalog, uint32_t field) {
  const FieldEntry& entry = catalog.field(field);
  const uint32_t measurement = catalog.fields.Scope(field);
  FieldInfo info{.id = model::FieldId{field},
                 .measurement = model::MeasurementId{measurement},
                 .type = entry.type,
                 .measurement_name = catalog.measurements.Text(measurement),
                 .name = catalog.fields.Text(field),
                 .metric = catalog.metrics.Text(entry.metric),
                 .newest = model::FieldId{catalog.NewestField(field)}};
  for (uint32_t id = entry.predecessor; id != 0; id = catalog.field(id).predecessor) {
    info.older.push_back(model::FieldId{id});
  }
  return info;
}

uint64_t SeriesCountOfName(const Catalog& catalog, uint32_t newest) {
  const FieldEntry* entry = &catalog.field(newest);
  if (entry->predecessor == 0) return entry->series.size();
  Bitmap all = EmptyBitmap();
  entry->series.OrInto(all.get());
  while (entry->predecessor != 0) {
    entry = &catalog.field(entry->predecessor);
    entry->series.OrInto(all.get());
  }
  return roaring_bitmap_get_cardinality(all.get());
}

std::vector<model::SeriesRef> SeriesOf(const Catalog& catalog, uint32_t field) {
  std::vector<uint32_t> ids;
  catalog.field(field).series.AppendTo(&ids);
  std::vector<model::SeriesRef> out;
  out.reserve(ids.size());
  for (const uint32_t id : ids) out.push_back({model::FieldId{field}, model::SeriesId{id}});
  return out;
}

bool HadIntegers(const Catalog& catalog, uint32_t field) {
  for (uint32_t id = field; id != 0; id = catalog.field(id).predecessor) {
    if (model::IsInteger(catalog.field(id).type)) return true;
  }
  return false;
}

}  // namespace tidemark::index
