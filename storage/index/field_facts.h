// Field facts: what the catalog says of one field and of the others of its name.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/index/catalog.h"
#include "storage/index/index.h"

namespace tidemark::index {

FieldInfo InfoOf(const Catalog& catalog, uint32_t field);
// See Index::SeriesCountOfName.
uint64_t SeriesCountOfName(const Catalog& catalog, uint32_t newest);
// See Index::SeriesOf.
std::vector<model::SeriesRef> SeriesOf(const Catalog& catalog, uint32_t field);
// See Index::HadIntegers.
bool HadIntegers(const Catalog& catalog, uint32_t field);

}  // namespace tidemark::index
