// Shape lookup: which fields the names of a shape stand for, and which are to be made for it. Looks only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "storage/base/result.h"
#include "storage/index/catalog.h"
#include "storage/model/batch.h"
#include "storage/model/ids.h"
#include "storage/model/resolved_batch.h"

namespace tidemark::index {

// See Index::FindShape.
model::ResolvedShape FindShape(const Catalog& catalog, const model::Shape& shape);

// Places in a shape of fields that are to be made.
struct MissingFields {
  std::vector<size_t> places_new;   // of a name that has none
  std::vector<size_t> places_next;  // of a name whose field has another type, and ends
  [[nodiscard]] size_t size() const { return places_new.size() + places_next.size(); }
};

// The ids and stored types of a shape in `out`, complete when nothing is missing. See Index::ResolveShape. Errors:
// kConflict.
Result<MissingFields> ResolveKnown(const Catalog& catalog, const model::Shape& shape,
                                   std::span<const model::FieldId> ending, model::ResolvedShape* out);

}  // namespace tidemark::index
