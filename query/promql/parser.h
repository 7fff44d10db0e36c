// Parse: PromQL text to a checked syntax tree (ast.h).
//
//   TM_TRY_ASSIGN(ExprPtr expr, Parse("rate(http_requests_total[5m])", {}));
//
// Accepts and refuses what Prometheus 3 does; README.md lists the grammar's sources and the deviations. Errors are
// kInvalidArgument, or kLimitExceeded for the three limits, with Prometheus' words and place:
// "1:7: parse error: unexpected character: '!'". Line and column count from 1, the column in bytes.
//
// Free of state: may be called from any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "query/promql/ast.h"
#include "storage/base/result.h"
#include "storage/model/matcher.h"

namespace tidemark::query::promql {

struct ParseOptions {
  // Functions and aggregations that Prometheus has behind --enable-feature=promql-experimental-functions.
  bool experimental_functions = false;
  // The range modifiers `anchored` and `smoothed` (promql-extended-range-selectors).
  bool extended_range_selectors = false;
  // fill(), fill_left() and fill_right() on binary operators (promql-binop-fill-modifiers).
  bool fill_modifiers = false;
  // [5m * 2], offset (step() + 1m). Stable since Prometheus 3.14, so on.
  bool duration_expressions = true;
  // Bytes of text. Longer text is refused before it is read. Selectors that dashboards make of their variables have
  // tens of kilobytes, whoever takes them: queries, rules, deletions, retentions and the tools.
  size_t text_size_max = size_t{1} << 20;
  // Expressions inside parentheses, arguments and signs. Deeper text is refused; the parser's stack use grows with it
  // (about 2 KiB for each level).
  size_t depth_max = 128;
  // Levels of the tree, which chains such as `a or b or c` make high without nesting. The stack use of everything that
  // walks the tree grows with it.
  size_t height_max = 1024;

  // Everything on, for tools and tests.
  static constexpr ParseOptions Experimental() {
    ParseOptions options;
    options.experimental_functions = options.extended_range_selectors = options.fill_modifiers = true;
    return options;
  }
};

// The tree of one whole expression.
Result<ExprPtr> Parse(std::string_view text, const ParseOptions& options = {});

// The matchers of one series selector, as `match[]` of the HTTP API takes it: no range, offset or @. At least one of
// them does not match the empty string.
Result<std::vector<model::Matcher>> ParseSelector(std::string_view text, const ParseOptions& options = {});

// The same of a selector that says what somebody may see: all its matchers may match the empty string, as those of
// {team!="b"} do. At least one matcher.
Result<std::vector<model::Matcher>> ParseFilter(std::string_view text, const ParseOptions& options = {});

}  // namespace tidemark::query::promql
