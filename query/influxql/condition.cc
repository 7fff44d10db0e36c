#include "query/influxql/condition.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "storage/base/text/instant.h"

namespace tidemark::query::influxql {
namespace {

// Conjunctions that a condition may come to when it is written out, and parentheses inside each other.
constexpr size_t kBranchesMax = 256;
constexpr int kDepthMax = 50;

class ConditionReader {
 public:
  // Without `now_ns` there are no bounds of time: it is a predicate.
  ConditionReader(TokenReader* reader, std::optional<int64_t> now_ns) : reader_(reader), now_ns_(now_ns) {}

  Result<Condition> Read() {
    Condition out;
    const Token begin = reader_->token();
    TM_TRY_ASSIGN(Branches branches, TakeOr(0));
    // Every branch must have the same bounds: a bound beside OR would hold for a part of the series only.
    for (const Branch& branch : branches) {
      if (branch.first_ns != branches.front().first_ns || branch.last_ns != branches.front().last_ns) {
        return ErrorAt(begin, "a bound of time is joined by AND to all of the condition");
      }
    }
    out.first_ns = branches.front().first_ns;
    out.last_ns = branches.front().last_ns;
    const bool unbounded = std::ranges::any_of(branches, [](const Branch& branch) { return branch.tags.empty(); });
    for (Branch& branch : branches) {
      if (!unbounded) out.any_of.push_back(std::move(branch.tags));
    }
    return out;
  }

 private:
  // A conjunction.
  struct Branch {
    std::vector<model::Matcher> tags;
    std::optional<int64_t> first_ns = {};
    std::optional<int64_t> last_ns = {};
  };
  using Branches = std::vector<Branch>;

  Result<Branches> TakeOr(int depth) {
    TM_TRY_ASSIGN(Branches out, TakeAnd(depth));
    while (reader_->TakeIf("OR")) {
      TM_TRY_ASSIGN(Branches more, TakeAnd(depth));
      std::ranges::move(more, std::back_inserter(out));
      if (out.size() > kBranchesMax) return TooMany();
    }
    return out;
  }

  Result<Branches> TakeAnd(int depth) {
    TM_TRY_ASSIGN(Branches out, TakeTerm(depth));
    while (reader_->TakeIf("AND")) {
      TM_TRY_ASSIGN(const Branches more, TakeTerm(depth));
      if (out.size() * more.size() > kBranchesMax) return TooMany();
      Branches product;
      for (const Branch& a : out) {
        for (const Branch& b : more) product.push_back(Both(a, b));
      }
      out = std::move(product);
    }
    return out;
  }

  static Branch Both(const Branch& a, const Branch& b) {
    Branch out = a;
    out.tags.insert(out.tags.end(), b.tags.begin(), b.tags.end());
    if (b.first_ns) out.first_ns = std::max(out.first_ns.value_or(*b.first_ns), *b.first_ns);
    if (b.last_ns) out.last_ns = std::min(out.last_ns.value_or(*b.last_ns), *b.last_ns);
    return out;
  }

  [[nodiscard]] Error TooMany() const {
    return ErrorAt(reader_->token(), fmt::format("the condition has more than {} alternatives", kBranchesMax));
  }

  Result<Branches> TakeTerm(int depth) {
    if (depth > kDepthMax)
      return ErrorAt(reader_->token(), fmt::format("more than {} parentheses inside each other", kDepthMax));
    if (reader_->TakeIf("(")) {
      TM_TRY_ASSIGN(Branches inner, TakeOr(depth + 1));
      if (!reader_->TakeIf(")")) return Unexpected(reader_->token(), ")");
      return inner;
    }
    if (!now_ns_) return TakePredicateTerm();
    const bool time = reader_->token().kind == TokenKind::kIdent && reader_->token().text == "time";
    TM_TRY_ASSIGN(std::string tag, reader_->TakeIdent());
    Branch branch;
    if (time && !reader_->token().Is("::")) {
      TM_RETURN_IF_ERROR(TakeBound(&branch));
      return Branches{std::move(branch)};
    }
    if (reader_->TakeIf("::") && !reader_->TakeIf("TAG")) return Unexpected(reader_->token(), "TAG");
    TM_TRY_ASSIGN(model::Matcher matcher, reader_->TakeComparison(std::move(tag), Operand::kString));
    branch.tags.push_back(std::move(matcher));
    return Branches{std::move(branch)};
  }

  Result<Branches> TakePredicateTerm() {
    // A keyword of InfluxQL that is the name of a tag with many.
    std::string tag = "name";
    if (!reader_->TakeIf("NAME")) {
      TM_TRY_ASSIGN(tag, reader_->TakeIdent());
    }
    TM_TRY_ASSIGN(model::Matcher matcher, reader_->TakeComparison(std::move(tag), Operand::kAny));
    return Branches{{.tags = {std::move(matcher)}}};
  }

  // time > now() - 1h, time <= '2024-01-01T00:00:00Z', time = 1700000000000000000, time < 1700000000s.
  Status TakeBound(Branch* branch) {
    const std::string op = reader_->token().text;
    const bool known = reader_->token().kind == TokenKind::kSymbol &&
                       (op == ">" || op == ">=" || op == "<" || op == "<=" || op == "=");
    if (!known) return Unexpected(reader_->token(), "=, <, <=, >, >=");
    reader_->Advance();
    TM_TRY_ASSIGN(const int64_t ns, TakeTime());
    if (op[0] == '>' || op == "=") {
      branch->first_ns = op == ">" && ns < std::numeric_limits<int64_t>::max() ? ns + 1 : ns;
    }
    if (op[0] == '<' || op == "=") {
      branch->last_ns = op == "<" && ns > std::numeric_limits<int64_t>::min() ? ns - 1 : ns;
    }
    return {};
  }

  // now() or a time, and durations added to it or taken off.
  Result<int64_t> TakeTime() {
    TM_TRY_ASSIGN(int64_t ns, TakePlainTime());
    while (reader_->token().Is("+") || reader_->token().Is("-")) {
      const bool plus = reader_->token().Is("+");
      reader_->Advance();
      TM_TRY_ASSIGN(const int64_t by, reader_->TakeDuration());
      const bool over = plus ? __builtin_add_overflow(ns, by, &ns) : __builtin_sub_overflow(ns, by, &ns);
      if (over) return ErrorAt(reader_->token(), "the time is out of range");
    }
    return ns;
  }

  Result<int64_t> TakePlainTime() {
    if (reader_->token().kind == TokenKind::kIdent &&
        (reader_->token().text == "now" || reader_->token().text == "NOW")) {
      reader_->Advance();
      if (!reader_->TakeIf("(")) return Unexpected(reader_->token(), "(");
      if (!reader_->TakeIf(")")) return Unexpected(reader_->token(), ")");
      return *now_ns_;
    }
    const Token token = reader_->token();
    const bool negative = reader_->TakeIf("-");
    if (reader_->token().kind == TokenKind::kDuration) {
      TM_TRY_ASSIGN(const int64_t ns, reader_->TakeDuration());
      return negative ? -ns : ns;
    }
    if (reader_->token().kind == TokenKind::kInteger) {
      int64_t ns = 0;
      const std::string text = (negative ? "-" : "") + reader_->token().text;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
      if (error != std::errc() || end != text.data() + text.size()) return ErrorAt(token, "the time is out of range");
      reader_->Advance();
      return ns;
    }
    if (negative || reader_->token().kind != TokenKind::kString) return Unexpected(reader_->token(), "a time");
    const auto at = text::ParseRfc3339(reader_->token().text, text::Rfc3339Form::kTyped);
    int64_t ns = 0;
    if (!at || __builtin_mul_overflow(at->seconds, int64_t{1'000'000'000}, &ns) ||
        __builtin_add_overflow(ns, int64_t{at->nanos}, &ns)) {
      return ErrorAt(token, "unable to parse timestamp");
    }
    reader_->Advance();
    return ns;
  }

  TokenReader* const reader_;
  const std::optional<int64_t> now_ns_;
};

}  // namespace

Result<Condition> ReadWhere(TokenReader* reader, int64_t now_ns) {
  if (!reader->TakeIf("WHERE")) return Condition();
  return ConditionReader(reader, now_ns).Read();
}

Result<Condition> ParsePredicate(std::string_view text) {
  TokenReader reader(text);
  if (reader.token().kind == TokenKind::kEnd) return Condition();
  TM_TRY_ASSIGN(Condition out, ConditionReader(&reader, std::nullopt).Read());
  if (reader.token().kind != TokenKind::kEnd) return Unexpected(reader.token(), "AND, OR, EOF");
  return out;
}

}  // namespace tidemark::query::influxql
