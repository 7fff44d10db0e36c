// Names against the conditions of SHOW statements.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/model/matcher.h"

namespace tidemark::query::influxql {

// Regular expressions of InfluxQL match anywhere in a text, those of matchers the whole of it.
std::string Unanchored(std::string_view regex);

// The names in `names` that `matcher` (whose own name does not matter) takes, in order. kInvalidArgument for a bad
// regular expression.
Result<std::vector<std::string>> Filter(const model::Matcher& matcher, std::span<const std::string> names);

// A matcher for a label that has one of these values.
model::Matcher OneOf(std::string label, std::span<const std::string> values);

}  // namespace tidemark::query::influxql
