#include "query/influxql/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "query/influxql/name_match.h"
#include "query/influxql/scanner.h"
#include "storage/base/text/duration.h"

namespace tidemark::query::influxql {
namespace {

Error ErrorAt(const Token& token, std::string_view message) {
  return InvalidArgument(
      fmt::format("error parsing query: {} at line {}, char {}", message, token.line, token.character));
}

Error Unexpected(const Token& token, std::string_view expected) {
  return ErrorAt(token, fmt::format("found {}, expected {}", token.Found(), expected));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) { Advance(); }

  Result<std::vector<Statement>> ParseAll() {
    std::vector<Statement> statements;
    bool parted = true;
    while (token_.kind != TokenKind::kEnd) {
      if (TakeIf(";")) {
        parted = true;
        continue;
      }
      if (!std::exchange(parted, false)) return Unexpected(token_, ";");
      TM_TRY_ASSIGN(Statement statement, ParseStatement());
      statements.push_back(std::move(statement));
    }
    return statements;
  }

 private:
  // A statement begins with these words; the function reads what follows them.
  struct Rule {
    std::array<std::string_view, 3> words;  // empty at the end
    Result<Statement> (Parser::*rest)();
  };

  // The grammar: a further statement is a row here. Errors list the words in this order.
  static std::span<const Rule> Rules() {
    static constexpr std::array<Rule, 8> kRules{{
        {{"SHOW", "DATABASES"}, &Parser::RestOfShowDatabases},
        {{"SHOW", "FIELD", "KEYS"}, &Parser::RestOfShowFieldKeys},
        {{"SHOW", "MEASUREMENTS"}, &Parser::RestOfShowMeasurements},
        {{"SHOW", "RETENTION", "POLICIES"}, &Parser::RestOfShowRetentionPolicies},
        {{"SHOW", "TAG", "KEYS"}, &Parser::RestOfShowTagKeys},
        {{"SHOW", "TAG", "VALUES"}, &Parser::RestOfShowTagValues},
        {{"CREATE", "DATABASE"}, &Parser::RestOfCreateDatabase},
        {{"DROP", "DATABASE"}, &Parser::RestOfDropDatabase},
    }};
    return kRules;
  }

  void Advance() { token_ = scanner_.Next(); }

  bool TakeIf(std::string_view word) {
    if (!token_.Is(word)) return false;
    Advance();
    return true;
  }

  Result<Statement> ParseStatement() {
    std::vector<const Rule*> candidates;
    for (const Rule& rule : Rules()) candidates.push_back(&rule);
    for (size_t depth = 0;; ++depth) {
      std::vector<std::string_view> expected;
      std::vector<const Rule*> matching;
      for (const Rule* rule : candidates) {
        const std::string_view word = rule->words[depth];
        if (std::ranges::find(expected, word) == expected.end()) expected.push_back(word);
        if (token_.Is(word)) matching.push_back(rule);
      }
      if (matching.empty()) return Unexpected(token_, fmt::format("{}", fmt::join(expected, ", ")));
      Advance();
      const Rule& first = *matching.front();
      if (depth + 1 == first.words.size() || first.words[depth + 1].empty()) return (this->*first.rest)();
      candidates = std::move(matching);
    }
  }

  Result<Statement> RestOfShowDatabases() { return Statement(ShowDatabases{}); }

  Result<Statement> RestOfDropDatabase() {
    DropDatabase drop;
    TM_TRY_ASSIGN(drop.name, TakeIdent());
    return Statement(std::move(drop));
  }

  Result<Statement> RestOfCreateDatabase() {
    CreateDatabase create;
    TM_TRY_ASSIGN(create.name, TakeIdent());
    if (TakeIf("WITH")) TM_RETURN_IF_ERROR(ParsePolicy(create));
    return Statement(std::move(create));
  }

  Result<Statement> RestOfShowRetentionPolicies() {
    ShowRetentionPolicies show;
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    return Statement(std::move(show));
  }

  Result<Statement> RestOfShowMeasurements() {
    ShowMeasurements show;
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    if (TakeIf("WITH")) {
      if (!TakeIf("MEASUREMENT")) return Unexpected(token_, "MEASUREMENT");
      TM_TRY_ASSIGN(show.name, TakeComparison("", true));
    }
    TM_TRY_ASSIGN(show.where, TakeWhere());
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  Result<Statement> RestOfShowFieldKeys() { return RestOfShowKeys(ShowKeys::What::kFieldKeys); }
  Result<Statement> RestOfShowTagKeys() { return RestOfShowKeys(ShowKeys::What::kTagKeys); }
  Result<Statement> RestOfShowTagValues() { return RestOfShowKeys(ShowKeys::What::kTagValues); }

  Result<Statement> RestOfShowKeys(ShowKeys::What what) {
    ShowKeys show;
    show.what = what;
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    if (TakeIf("FROM")) {
      TM_TRY_ASSIGN(show.from, TakeMeasurement());
    }
    if (what == ShowKeys::What::kTagValues) {
      if (!TakeIf("WITH")) return Unexpected(token_, "WITH");
      if (!TakeIf("KEY")) return Unexpected(token_, "KEY");
      TM_RETURN_IF_ERROR(TakeKeys(&show));
    }
    if (what != ShowKeys::What::kFieldKeys) {
      TM_TRY_ASSIGN(show.where, TakeWhere());
    }
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  // "policy"."measurement", "measurement" or /regex/. There is one policy.
  Result<model::Matcher> TakeMeasurement() {
    if (token_.Is("/")) {
      TM_TRY_ASSIGN(std::string regex, TakeRegex());
      return model::Matcher{model::MatchOp::kRegex, "", Unanchored(regex)};
    }
    TM_TRY_ASSIGN(std::string name, TakeIdent());
    while (TakeIf(".")) {
      if (token_.Is(".")) continue;
      TM_TRY_ASSIGN(name, TakeIdent());
    }
    return model::Matcher{model::MatchOp::kEqual, "", std::move(name)};
  }

  // = "key", != "key", IN ("a", "b"), =~ /regex/, !~ /regex/.
  Status TakeKeys(ShowKeys* show) {
    if (TakeIf("IN")) {
      if (!TakeIf("(")) return Unexpected(token_, "(");
      do {
        TM_TRY_ASSIGN(std::string key, TakeIdent());
        show->keys.push_back(std::move(key));
      } while (TakeIf(","));
      if (!TakeIf(")")) return Unexpected(token_, ")");
      return {};
    }
    TM_TRY_ASSIGN(model::Matcher key, TakeComparison("", true));
    if (key.op == model::MatchOp::kEqual) {
      show->keys.push_back(std::move(key.value));
    } else {
      show->key_match = std::move(key);
    }
    return {};
  }

  // WHERE tag = 'value' AND ...
  Result<std::vector<model::Matcher>> TakeWhere() {
    std::vector<model::Matcher> out;
    if (!TakeIf("WHERE")) return out;
    do {
      TM_TRY_ASSIGN(std::string tag, TakeIdent());
      if (TakeIf("::") && !TakeIf("TAG")) return Unexpected(token_, "TAG");
      TM_TRY_ASSIGN(model::Matcher matcher, TakeComparison(std::move(tag), false));
      out.push_back(std::move(matcher));
    } while (TakeIf("AND"));
    return out;
  }

  // An operator and what stands behind it; `names`: a name rather than a string.
  Result<model::Matcher> TakeComparison(std::string label, bool names) {
    model::Matcher matcher{.op = {}, .name = std::move(label), .value = {}};
    const bool equal = token_.Is("=");
    if (equal || token_.Is("!=") || token_.Is("<>")) {
      Advance();
      matcher.op = equal ? model::MatchOp::kEqual : model::MatchOp::kNotEqual;
      if (names) {
        TM_TRY_ASSIGN(matcher.value, TakeIdent());
      } else if (token_.kind == TokenKind::kString) {
        matcher.value = std::move(token_.text);
        Advance();
      } else {
        return Unexpected(token_, "string");
      }
      return matcher;
    }
    matcher.op = token_.Is("=~") ? model::MatchOp::kRegex : model::MatchOp::kNotRegex;
    if (!TakeIf("=~") && !TakeIf("!~")) return Unexpected(token_, "=, !=, =~, !~");
    TM_TRY_ASSIGN(const std::string regex, TakeRegex());
    matcher.value = Unanchored(regex);
    return matcher;
  }

  Result<std::string> TakeRegex() {
    if (!token_.Is("/")) return Unexpected(token_, "regex");
    Token regex = scanner_.RestOfRegex();
    if (regex.kind == TokenKind::kBad) return Unexpected(regex, "regex");
    Advance();
    return std::move(regex.text);
  }

  Status TakeLimits(uint64_t* limit, uint64_t* offset) {
    if (TakeIf("LIMIT")) {
      TM_TRY_ASSIGN(*limit, TakeInteger(0));
    }
    if (TakeIf("OFFSET")) {
      TM_TRY_ASSIGN(*offset, TakeInteger(0));
    }
    return {};
  }

  // DURATION d, REPLICATION n, SHARD DURATION d, FUTURE LIMIT d, PAST LIMIT d, NAME n: each at most once, in this
  // order. Only the first has a meaning here: there are no copies, shards or named policies, and any time may be
  // written.
  Status ParsePolicy(CreateDatabase& create) {
    constexpr std::array<std::string_view, 6> kOptions{"DURATION", "NAME", "REPLICATION", "SHARD", "FUTURE", "PAST"};
    if (std::ranges::none_of(kOptions, [this](std::string_view word) { return token_.Is(word); })) {
      return Unexpected(token_, fmt::format("{}", fmt::join(kOptions, ", ")));
    }
    if (TakeIf("DURATION")) {
      TM_TRY_ASSIGN(create.retention_ns, TakeDuration());
    }
    if (TakeIf("REPLICATION")) TM_RETURN_IF_ERROR(TakeInteger(1));
    if (TakeIf("SHARD")) {
      if (!TakeIf("DURATION")) return Unexpected(token_, "DURATION");
      TM_RETURN_IF_ERROR(TakeDuration());
    }
    for (const std::string_view side : {std::string_view("FUTURE"), std::string_view("PAST")}) {
      if (!TakeIf(side)) continue;
      if (!TakeIf("LIMIT")) return Unexpected(token_, "LIMIT");
      TM_RETURN_IF_ERROR(TakeDuration());
    }
    if (TakeIf("NAME")) TM_RETURN_IF_ERROR(TakeIdent());
    return {};
  }

  Result<std::string> TakeIdent() {
    if (token_.kind != TokenKind::kIdent) return Unexpected(token_, "identifier");
    std::string name = std::move(token_.text);
    Advance();
    return name;
  }

  Result<uint64_t> TakeInteger(uint64_t least) {
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

  Result<int64_t> TakeDuration() {
    if (TakeIf("INF")) return 0;
    if (token_.kind != TokenKind::kDuration) return Unexpected(token_, "duration");
    const auto ns = text::ParseDuration(token_.text, text::kInfluxDuration);
    if (!ns) return ErrorAt(token_, "invalid duration");
    Advance();
    return *ns;
  }

  Scanner scanner_;
  Token token_;  // the next one
};

}  // namespace

std::string_view DatabaseOf(const Statement& statement) {
  return std::visit(
      []<typename T>(const T& of) -> std::string_view {
        if constexpr (std::is_same_v<T, ShowDatabases>) {
          return {};
        } else if constexpr (requires { of.database; }) {
          return of.database;
        } else {
          return of.name;
        }
      },
      statement);
}

bool IsReadOnly(const Statement& statement) {
  return !std::holds_alternative<CreateDatabase>(statement) && !std::holds_alternative<DropDatabase>(statement);
}

Result<std::vector<Statement>> Parse(std::string_view text) { return Parser(text).ParseAll(); }

}  // namespace tidemark::query::influxql
