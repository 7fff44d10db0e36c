// Warnings of replies whose form has no place for them.
#pragma once

#include <string>
#include <vector>

#include "query/api/envelope.h"

namespace tidemark::query::api {

// A header `Warning` each (RFC 7234, 5.5); what cannot stand in one becomes '?'.
void AddWarningHeaders(Reply* reply, const std::vector<std::string>& warnings);

}  // namespace tidemark::query::api
