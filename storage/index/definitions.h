// Definitions: names with their ids as bytes, for journal records. Format: storage/FORMAT.md, "Index".
//
// A stream of definitions is dense: each kind's ids come in order of creation, without gaps, and what a definition
// refers to stands before it. So replay can tell a definition that it knows (it must be the same), the next one (it is
// added) and a gap (the journal lost something).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/index/catalog.h"
#include "storage/index/definition.h"

namespace tidemark::index {

// Appends the definition of something that is in the catalog.
void DefineMeasurement(const Catalog& catalog, uint32_t id, std::string* out);
void DefineLabel(const Catalog& catalog, uint32_t id, std::string* out);
void DefinePair(const Catalog& catalog, uint32_t id, std::string* out);
void DefineField(const Catalog& catalog, uint32_t id, std::string* out);
void DefineSeries(const Catalog& catalog, uint32_t id, std::string* out);

// Adds what is new in `definitions` to the catalog. On error, kCorruption, what stood before the damage has been added.
Result<void> Apply(std::string_view definitions, Catalog* catalog);

using DefinitionFn = std::function<Result<void>(const Definition& definition)>;
// Calls `visit` with each definition of a stream, valid for the call. Errors: kCorruption; those of `visit`.
Result<void> ReadDefinitions(std::string_view definitions, const DefinitionFn& visit);

enum class Postings : uint8_t {
  kAtOnce,
  kLater,  // Catalog::AddPostings follows
};
// Adds one definition: its id must be the next one, or be known with the same content; everything referred to must
// exist. A series that was made up (made_up_names.h) stays, whatever is said of it. Errors: kCorruption.
Result<void> Add(const Definition& definition, Postings postings, Catalog* catalog);

}  // namespace tidemark::index
