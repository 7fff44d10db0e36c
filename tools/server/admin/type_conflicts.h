// What becomes of a float for an integer field, in the words of the acts "types set" and "types show".
#pragma once

#include <string>
#include <string_view>

#include "storage/base/result.h"
#include "storage/model/type_conflicts.h"

namespace tidemark::server {

// "widen" or "refuse".
std::string_view NameOf(model::TypeConflicts value);
// Errors: kInvalidArgument, with the words that are known.
Result<model::TypeConflicts> ParseTypeConflicts(std::string_view text);
// The answer of both acts.
std::string TypesJson(std::string_view database, model::TypeConflicts value);

}  // namespace tidemark::server
