// What the parser must know of label matchers: whether their regular expressions are right, and whether they let series
// without the label through.
#pragma once

#include <string_view>

#include "storage/base/result.h"
#include "storage/model/matcher.h"

namespace tidemark::query::promql {

// Fails, in the words of Go's regexp package, when `pattern` is not RE2 syntax.
Status CheckRegex(std::string_view pattern);

// Whether `matcher` accepts the empty string, that is, a series without the label. A pattern must be right.
bool MatchesEmpty(const model::Matcher& matcher);

}  // namespace tidemark::query::promql
