// Go's package fmt for the values of templates. Source: https://pkg.go.dev/fmt
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "query/rules/template_value.h"
#include "storage/base/result.h"

namespace tidemark::query::rules {

// fmt.Sprintf: verbs v T t b c d o O q x X U e E f F g G s with flags, width and precision, also as `*`, and indexes of
// arguments as [1]. What does not fit stands in the text, as %!d(string=a). kLimitExceeded beyond
// Template::kTextBytesMax.
Result<std::string> PrintFormat(std::string_view format, std::span<const TemplateValue> arguments);

// fmt.Sprint: a space where neither neighbour is a text.
std::string PrintAll(std::span<const TemplateValue> arguments);

}  // namespace tidemark::query::rules
