// Definitions: names with their ids as bytes, for journal records. Format: storage/FORMAT.md, "Index".
//
// A stream of definitions is dense: each kind's ids come in order of creation, without gaps, and what a definition
// refers to stands before it. So replay can tell a definition that it knows (it must be the same), the next one (it is
// added) and a gap (the journal lost something).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/index/catalog.h"

namespace tidemark::index {

// Appends the definition of something that is in the catalog.
void DefineMeasurement(const Catalog& catalog, uint32_t id, std::string* out);
void DefineLabel(const Catalog& catalog, uint32_t id, std::string* out);
void DefinePair(const Catalog& catalog, uint32_t id, std::string* out);
void DefineField(const Catalog& catalog, uint32_t id, std::string* out);
void DefineSeries(const Catalog& catalog, uint32_t id, std::string* out);

// Adds what is new in `definitions` to the catalog. On error, kCorruption, what stood before the damage has been added.
Result<void> Apply(std::string_view definitions, Catalog* catalog);

// Checked additions, shared with the loading of saved entries: `id` must be the next one, or be known with the same
// content; everything referred to must exist. Errors: kCorruption.
Result<void> AddMeasurementAt(uint64_t id, std::string_view name, Catalog* catalog);
Result<void> AddLabelAt(uint64_t id, std::string_view name, Catalog* catalog);
Result<void> AddPairAt(uint64_t id, uint64_t label, std::string_view value, Catalog* catalog);
Result<void> AddFieldAt(uint64_t id, uint64_t measurement, uint8_t type, std::string_view name, Catalog* catalog);
Result<void> AddSeriesAt(uint64_t id, uint64_t measurement, std::span<const uint32_t> pairs, bool postings,
                         Catalog* catalog);

}  // namespace tidemark::index
