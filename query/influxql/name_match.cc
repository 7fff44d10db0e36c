#include "query/influxql/name_match.h"

#include <fmt/core.h>
#include <re2/re2.h>

namespace tidemark::query::influxql {

std::string Unanchored(std::string_view regex) { return fmt::format("(?s:.*)(?:{})(?s:.*)", regex); }

Result<std::vector<std::string>> Filter(const model::Matcher& matcher, std::span<const std::string> names) {
  const bool plain = matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kNotEqual;
  const bool wanted = matcher.op == model::MatchOp::kEqual || matcher.op == model::MatchOp::kRegex;
  const RE2 regex(plain ? "" : matcher.value, RE2::Quiet);
  if (!regex.ok()) return InvalidArgument(fmt::format("error parsing regexp: {}", regex.error()));
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if ((plain ? name == matcher.value : RE2::FullMatch(name, regex)) == wanted) out.push_back(name);
  }
  return out;
}

model::Matcher OneOf(std::string label, std::span<const std::string> values) {
  std::string any;
  for (const std::string& value : values) {
    if (!any.empty()) any += '|';
    any += RE2::QuoteMeta(value);
  }
  return {model::MatchOp::kRegex, std::move(label), std::move(any)};
}

}  // namespace tidemark::query::influxql
