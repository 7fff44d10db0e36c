#include "query/influxql/token_reader.h"

#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "query/influxql/name_match.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::influxql {

Error ErrorAt(const Token& token, std::string_view message) {
  return InvalidArgument(
      fmt::format("error parsing query: {} at line {}, char {}", message, token.line, token.character));
}

Error Unexpected(const Token& token, std::string_view expected) {
  return ErrorAt(token, fmt::format("found {}, expected {}", token.Found(), expected));
}

bool TokenReader::TakeIf(std::string_view word) {
  if (!token_.Is(word)) return false;
  Advance();
  return true;
}

Result<std::string> TokenReader::TakeOperand(Operand operand) {
  if (operand == Operand::kName) return TakeIdent();
  const bool any = operand == Operand::kAny;
  if (any && TakeIf("TRUE")) return std::string("true");
  if (any && TakeIf("FALSE")) return std::string("false");
  const bool bare =
      token_.kind == TokenKind::kIdent || token_.kind == TokenKind::kInteger || token_.kind == TokenKind::kNumber;
  if (token_.kind != TokenKind::kString && !(any && bare)) return Unexpected(token_, any ? "a value" : "string");
  std::string value = std::move(token_.text);
  Advance();
  return value;
}

Result<model::Matcher> TokenReader::TakeComparison(std::string label, Operand operand) {
  model::Matcher matcher{.op = {}, .name = std::move(label), .value = {}};
  const bool equal = token_.Is("=");
  if (equal || token_.Is("!=") || token_.Is("<>")) {
    Advance();
    matcher.op = equal ? model::MatchOp::kEqual : model::MatchOp::kNotEqual;
    TM_TRY_ASSIGN(matcher.value, TakeOperand(operand));
    return matcher;
  }
  matcher.op = token_.Is("=~") ? model::MatchOp::kRegex : model::MatchOp::kNotRegex;
  if (!TakeIf("=~") && !TakeIf("!~")) return Unexpected(token_, "=, !=, =~, !~");
  TM_TRY_ASSIGN(const std::string regex, TakeRegex());
  matcher.value = Unanchored(regex);
  return matcher;
}

Result<std::string> TokenReader::TakeRegex() {
  if (!token_.Is("/")) return Unexpected(token_, "regex");
  Token regex = scanner_.RestOfRegex();
  if (regex.kind == TokenKind::kBad) return Unexpected(regex, "regex");
  Advance();
  return std::move(regex.text);
}

Result<std::string> TokenReader::TakeIdent() {
  if (token_.kind != TokenKind::kIdent) return Unexpected(token_, "identifier");
  std::string name = std::move(token_.text);
  Advance();
  return name;
}

Result<uint64_t> TokenReader::TakeInteger(uint64_t least) {
  if (token_.kind != TokenKind::kInteger) return Unexpected(token_, "integer");
  constexpr uint64_t kMost = std::numeric_limits<int32_t>::max();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(token_.text.data(), token_.text.data() + token_.text.size(), value);
  if (error != std::errc() || value < least || value > kMost) {
    return ErrorAt(token_, fmt::format("invalid value {}: must be {} <= n <= {}", token_.text, least, kMost));
  }
  Advance();
  return value;
}

Result<int64_t> TokenReader::TakeDuration() {
  if (TakeIf("INF")) return 0;
  if (token_.kind != TokenKind::kDuration) return Unexpected(token_, "duration");
  const auto ns = text::ParseDuration(token_.text, text::kInfluxDuration);
  if (!ns) return ErrorAt(token_, "invalid duration");
  Advance();
  return *ns;
}

}  // namespace tidemark::query::influxql
