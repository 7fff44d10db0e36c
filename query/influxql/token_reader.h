// TokenReader: the tokens of a text one after the other, and the small things that all statements are made of. Private
// to the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "query/influxql/scanner.h"
#include "storage/base/result.h"
#include "storage/model/matcher.h"

namespace tidemark::query::influxql {

// `message` with the token's place, in InfluxDB's words.
Error ErrorAt(const Token& token, std::string_view message);
Error Unexpected(const Token& token, std::string_view expected);

// What stands behind = and != in a comparison.
enum class Operand : uint8_t {
  kString,  // 'text'
  kName,    // text or "text"
  kAny,     // either, or a number, true or false
};

class TokenReader {
 public:
  explicit TokenReader(std::string_view text) : scanner_(text) { Advance(); }

  // The next one.
  [[nodiscard]] const Token& token() const { return token_; }
  void Advance() { token_ = scanner_.Next(); }
  // Takes the word if it comes next.
  bool TakeIf(std::string_view word);
  Result<std::string> TakeIdent();
  // At least `least`, at most 2^31 - 1.
  Result<uint64_t> TakeInteger(uint64_t least);
  // Nanoseconds; INF is 0.
  Result<int64_t> TakeDuration();
  Result<std::string> TakeRegex();
  // An operator and what stands behind it.
  Result<model::Matcher> TakeComparison(std::string label, Operand operand);

 private:
  Result<std::string> TakeOperand(Operand operand);

  Scanner scanner_;
  Token token_;
};

}  // namespace tidemark::query::influxql
