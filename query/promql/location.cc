#include "query/promql/location.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace tidemark::query::promql {

Error ErrorAt(std::string_view text, uint32_t offset, std::string_view message, ErrorCode code) {
  if (text.empty()) return MakeError(code, fmt::format("unknown position: parse error: {}", message));
  const std::string_view before = text.substr(0, offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t line_break = before.rfind('\n');
  const size_t column = line_break == std::string_view::npos ? before.size() + 1 : before.size() - line_break;
  return MakeError(code, fmt::format("{}:{}: parse error: {}", line, column, message));
}

}  // namespace tidemark::query::promql
