// Text of rule groups, as people get back what they put.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace tidemark::query::rules {

// Of one group, written out.
inline constexpr size_t kGroupTextBytesMax = size_t{4} << 20;

// The YAML of one group in block form, each line behind `indent` spaces, the first behind "- " as an element of a list
// where `as_element`. Values stay as they were written: what was in quotes is. kInvalidArgument: it is no YAML.
// kLimitExceeded.
Result<std::string> PrintGroupText(std::string_view text, size_t indent, bool as_element);

// A YAML scalar that stands for exactly this text.
std::string YamlQuoted(std::string_view text);

}  // namespace tidemark::query::rules
