#include "storage/index/shape_lookup.h"

#include <algorithm>

#include "storage/model/type_conflicts.h"

namespace tidemark::index {

using model::FieldId;

model::ResolvedShape FindShape(const Catalog& catalog, const model::Shape& shape) {
  const uint32_t measurement = catalog.measurements.Find(0, shape.measurement);
  model::ResolvedShape out{.measurement = model::MeasurementId{measurement}, .fields = {}};
  out.fields.reserve(shape.fields.size());
  for (const model::ShapeField& field : shape.fields) {
    const uint32_t id = measurement == 0 ? 0 : catalog.fields.Find(measurement, field.name);
    out.fields.push_back({FieldId{id}, id == 0 ? field.type : catalog.field(id).type});
  }
  return out;
}

Result<MissingFields> ResolveKnown(const Catalog& catalog, const model::Shape& shape, std::span<const FieldId> ending,
                                   model::ResolvedShape* out) {
  *out = FindShape(catalog, shape);
  MissingFields missing;
  for (size_t place = 0; place < shape.fields.size(); ++place) {
    const model::ResolvedField& stored = out->fields[place];
    const model::ShapeField& sent = shape.fields[place];
    if (stored.id == FieldId{}) {
      missing.places_new.push_back(place);
    } else if (stored.type != sent.type && !model::IsIntegerToFloat(sent.type, stored.type)) {
      if (std::find(ending.begin(), ending.end(), stored.id) == ending.end()) {
        return model::TypeConflict(shape.measurement, sent.name, sent.type, stored.type);
      }
      missing.places_next.push_back(place);
    }
  }
  return missing;
}

}  // namespace tidemark::index
