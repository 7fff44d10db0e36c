// What a rule reads and writes, so that what rules of a group write can be written together unless one reads it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/rules/rule_file.h"

namespace tidemark::query::rules {

struct Reads {
  bool anything = false;  // there is a selector without a name, or a template that asks
  std::set<std::string, std::less<>> names;
  std::vector<std::vector<model::Matcher>> selectors;  // of the expressions themselves

  [[nodiscard]] bool May(std::string_view name) const { return anything || names.contains(name); }
};

// Of all expressions of the rule, whatever database they are asked of.
Reads ReadsOf(const Rule& rule);

// The names of the series that it writes.
std::vector<std::string_view> WritesOf(const Rule& rule);

}  // namespace tidemark::query::rules
