#include "query/promql/parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "query/promql/check.h"
#include "query/promql/grammar.h"
#include "query/promql/matchers.h"

namespace tidemark::query::promql {
namespace {

Status CheckSize(std::string_view text, const ParseOptions& options) {
  const size_t size_max = std::min<size_t>(options.text_size_max, std::numeric_limits<uint32_t>::max());
  if (text.size() <= size_max) return {};
  return LimitExceeded(
      fmt::format("parse error: the query has {} bytes, at most {} are allowed", text.size(), size_max));
}

}  // namespace

Result<ExprPtr> Parse(std::string_view text, const ParseOptions& options) {
  TM_RETURN_IF_ERROR(CheckSize(text, options));
  Grammar grammar(text, options);
  TM_TRY_ASSIGN(ExprPtr expr, grammar.WholeExpr());
  TM_RETURN_IF_ERROR(CheckTypes(*expr, text));
  return expr;
}

Result<std::vector<model::Matcher>> ParseSelector(std::string_view text, const ParseOptions& options) {
  TM_RETURN_IF_ERROR(CheckSize(text, options));
  Grammar grammar(text, options);
  TM_TRY_ASSIGN(const auto selector, grammar.WholeSelector());
  if (std::ranges::all_of(selector->matchers, MatchesEmpty)) {
    return InvalidArgument("match[] must contain at least one non-empty matcher");
  }
  return std::move(selector->matchers);
}

Result<std::vector<model::Matcher>> ParseFilter(std::string_view text, const ParseOptions& options) {
  TM_RETURN_IF_ERROR(CheckSize(text, options));
  Grammar grammar(text, options);
  TM_TRY_ASSIGN(const auto selector, grammar.WholeSelector());
  if (selector->matchers.empty()) return InvalidArgument("it needs at least one matcher, as {team=\"a\"}");
  return std::move(selector->matchers);
}

}  // namespace tidemark::query::promql
