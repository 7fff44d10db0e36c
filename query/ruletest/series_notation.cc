#include "query/ruletest/series_notation.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "query/promql/lexer.h"
#include "query/promql/quote.h"
#include "storage/base/text/ascii.h"
#include "storage/model/stale_marker.h"

namespace tidemark::query::ruletest {
namespace {

using promql::Token;
using promql::TokenKind;

// Reads one metric from the tokens of PromQL.
class MetricReader {
 public:
  explicit MetricReader(std::string_view text) : lexer_(text) { Advance(); }

  Result<model::Labels> Read() {
    model::Labels labels;
    if (MayNameMetric(token_.kind)) {
      labels.push_back({std::string(model::kMetricNameLabel), std::string(token_.text)});
      Advance();
    }
    if (token_.kind == TokenKind::kLeftBrace) TM_RETURN_IF_ERROR(ReadBraces(&labels));
    if (token_.kind != TokenKind::kEnd) return Unexpected("series description");
    std::ranges::sort(labels);
    return labels;
  }

 private:
  void Advance() { token_ = lexer_.Next(); }

  [[nodiscard]] Error Unexpected(std::string_view where) const {
    const std::string what = token_.kind == TokenKind::kError
                                 ? std::string(token_.text)
                                 : "unexpected " + Describe(token_) + " in " + std::string(where);
    return InvalidArgument(fmt::format("column {}: {}", token_.start + 1, what));
  }

  Status ReadBraces(model::Labels* labels) {
    do {
      Advance();  // the brace, or a comma
      if (token_.kind == TokenKind::kRightBrace) break;
      if (token_.kind != TokenKind::kIdentifier && !MayNameLabel(token_.kind)) return Unexpected("label set");
      std::string name(token_.text);
      Advance();
      if (token_.kind != TokenKind::kAssign) return Unexpected("label set, \"=\" was expected");
      Advance();
      if (token_.kind != TokenKind::kString) return Unexpected("label set, a string was expected");
      // An empty label is none.
      if (std::string value = promql::Unquote(token_.text); !value.empty()) {
        labels->push_back({std::move(name), std::move(value)});
      }
      Advance();
    } while (token_.kind == TokenKind::kComma);
    if (token_.kind != TokenKind::kRightBrace) return Unexpected("label set");
    Advance();
    return {};
  }

  promql::Lexer lexer_;
  Token token_;
};

using text::IsDigit;
using text::IsSpace;
bool IsWord(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsWordOf(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

// Reads the values of one series.
class ValueReader {
 public:
  explicit ValueReader(std::string_view text) : text_(text) {}

  Result<std::vector<std::optional<double>>> Read() {
    while (true) {
      while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
      if (at_ == text_.size()) return std::move(out_);
      TM_RETURN_IF_ERROR(ReadItem());
      if (at_ < text_.size() && !IsSpace(text_[at_])) return Fault("a space was expected between values");
    }
  }

 private:
  [[nodiscard]] char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  [[nodiscard]] Error Fault(std::string_view reason) const {
    return InvalidArgument(fmt::format("column {}: {}", at_ + 1, reason));
  }
  bool TakeIf(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  std::string_view TakeWord() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Status Add(uint64_t times, std::optional<double> value, double step) {
    if (times > kSeriesValuesMax - std::min(out_.size(), kSeriesValuesMax)) {
      return LimitExceeded(fmt::format("column {}: a series has at most {} values", at_ + 1, kSeriesValuesMax));
    }
    for (uint64_t i = 0; i < times; ++i) {
      out_.push_back(value);
      if (value && step != 0) *value += step;  // adding nothing would change the bits of a stale marker
    }
    return {};
  }

  // The count behind `x`.
  Result<uint64_t> ReadCount() {
    uint64_t count = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), count);
    if (error != std::errc()) return Fault("a whole number was expected behind \"x\"");
    at_ = static_cast<size_t>(end - text_.data());
    return count;
  }

  // Without a sign: digits with a fraction and an exponent, or inf and nan.
  Result<double> ReadNumber() {
    if (!IsDigit(Peek()) && Peek() != '.') {
      const size_t begin = at_;
      const std::string_view word = TakeWord();
      if (IsWordOf(word, "inf")) return std::numeric_limits<double>::infinity();
      if (IsWordOf(word, "nan")) return std::numeric_limits<double>::quiet_NaN();
      at_ = begin;
      return Fault("a number was expected");
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::invalid_argument) return Fault("a number was expected");
    at_ = static_cast<size_t>(end - text_.data());
    if (Peek() != 'x' && IsWord(Peek())) return Fault("a number ends here");
    if (error == std::errc::result_out_of_range) return Fault("the number is out of range");
    return value;
  }

  Status ReadItem() {
    if (Peek() == '_') {
      ++at_;
      uint64_t times = 1;
      if (TakeIf('x')) {
        TM_TRY_ASSIGN(times, ReadCount());
      }
      return Add(times, std::nullopt, 0);
    }
    const bool minus = Peek() == '-';
    double value = 0;
    if (minus || Peek() == '+') {
      ++at_;
      TM_TRY_ASSIGN(value, ReadNumber());
      if (minus) value = -value;
    } else if (const size_t begin = at_; text_.substr(begin).starts_with("stale") && TakeWord() == "stale") {
      value = model::kStaleMarker;
    } else {
      at_ = begin;
      TM_TRY_ASSIGN(value, ReadNumber());
    }
    double step = 0;
    const bool stepped = Peek() == '+' || Peek() == '-';
    if (stepped) {
      const bool down = text_[at_++] == '-';
      TM_TRY_ASSIGN(step, ReadNumber());
      if (down) step = -step;
    }
    if (!TakeIf('x')) return stepped ? Status(Fault("\"x\" and a count were expected")) : Add(1, value, 0);
    TM_TRY_ASSIGN(const uint64_t more, ReadCount());
    if (more == std::numeric_limits<uint64_t>::max()) return Fault("the count is out of range");
    return Add(more + 1, value, step);
  }

  const std::string_view text_;
  size_t at_ = 0;
  std::vector<std::optional<double>> out_;
};

}  // namespace

Result<model::Labels> ParseMetric(std::string_view text) { return MetricReader(text).Read(); }

Result<std::vector<std::optional<double>>> ParseValues(std::string_view text) { return ValueReader(text).Read(); }

}  // namespace tidemark::query::ruletest
