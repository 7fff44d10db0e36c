#include "tools/demo/formula.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "storage/base/text/ascii.h"

namespace tidemark::demo {
namespace {

bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
using text::IsDigit;

// Calls text(piece) for what stands between names, and name(piece) for names.
template <typename Text, typename Name>
void Walk(std::string_view formula, Text text, Name name) {
  size_t at = 0;
  while (at < formula.size()) {
    size_t end = at;
    if (IsLetter(formula[at])) {
      while (end < formula.size() && (IsLetter(formula[end]) || IsDigit(formula[end]))) ++end;
      const std::string_view word = formula.substr(at, end - at);
      IsFormulaName(word) ? name(word) : text(word);
    } else if (IsDigit(formula[at])) {
      // A number with its exponent or its unit, as 1e6 or 5m.
      while (end < formula.size() && (IsLetter(formula[end]) || IsDigit(formula[end]) || formula[end] == '.')) ++end;
      text(formula.substr(at, end - at));
    } else {
      text(formula.substr(at, ++end - at));
    }
    at = end;
  }
}

}  // namespace

bool IsFormulaName(std::string_view text) {
  if (text.empty() || !IsLetter(text.front()) || text.front() == '_') return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return IsLetter(c) || IsDigit(c); })) return false;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return lower != "inf" && lower != "nan";
}

std::vector<std::string> NamesIn(std::string_view formula) {
  std::vector<std::string> names;
  Walk(formula, [](std::string_view) {}, [&](std::string_view name) { names.emplace_back(name); });
  return names;
}

std::string WithNumbers(std::string_view formula, const std::function<double(const std::string&)>& value) {
  std::string out;
  Walk(
      formula, [&](std::string_view text) { out += text; },
      [&](std::string_view name) {
        const double number = value(std::string(name));
        out += number < 0 ? fmt::format("({})", number) : fmt::format("{}", number);
      });
  return out;
}

}  // namespace tidemark::demo
