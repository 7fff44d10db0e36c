// Formula: arithmetic with names in it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::demo {

// Letters, digits and '_', beginning with a letter; not "inf" or "nan" in any case, which are numbers.
bool IsFormulaName(std::string_view text);

// The names in `formula`, in order, each as often as it stands there. The exponent of a number (1e6) is none.
std::vector<std::string> NamesIn(std::string_view formula);

// `formula` with value(name) in the place of each name; negative numbers in parentheses.
std::string WithNumbers(std::string_view formula, const std::function<double(const std::string&)>& value);

}  // namespace tidemark::demo
