#include "query/influxql/parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "query/influxql/condition.h"
#include "query/influxql/name_match.h"

namespace tidemark::query::influxql {
namespace {

class Parser : private TokenReader {
 public:
  Parser(std::string_view text, int64_t now_ns) : TokenReader(text), now_ns_(now_ns) {}

  Result<std::vector<Statement>> ParseAll() {
    std::vector<Statement> statements;
    bool parted = true;
    while (token().kind != TokenKind::kEnd) {
      if (TakeIf(";")) {
        parted = true;
        continue;
      }
      if (!std::exchange(parted, false)) return Unexpected(token(), ";");
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
    static constexpr std::array<Rule, 19> kRules{{
        {{"SHOW", "DATABASES"}, &Parser::RestOfShowDatabases},
        {{"SHOW", "FIELD", "KEY"}, &Parser::RestOfCountFieldKeys},
        {{"SHOW", "FIELD", "KEYS"}, &Parser::RestOfShowFieldKeys},
        {{"SHOW", "MEASUREMENT"}, &Parser::RestOfCountMeasurements},
        {{"SHOW", "MEASUREMENTS"}, &Parser::RestOfShowMeasurements},
        {{"SHOW", "RETENTION", "POLICIES"}, &Parser::RestOfShowRetentionPolicies},
        {{"SHOW", "SERIES"}, &Parser::RestOfShowSeries},
        {{"SHOW", "TAG", "KEY"}, &Parser::RestOfCountTagKeys},
        {{"SHOW", "TAG", "KEYS"}, &Parser::RestOfShowTagKeys},
        {{"SHOW", "TAG", "VALUES"}, &Parser::RestOfShowTagValues},
        {{"SHOW", "USERS"}, &Parser::RestOfShowUsers},
        {{"CREATE", "DATABASE"}, &Parser::RestOfCreateDatabase},
        {{"CREATE", "RETENTION", "POLICY"}, &Parser::RestOfCreatePolicy},
        {{"ALTER", "RETENTION", "POLICY"}, &Parser::RestOfAlterPolicy},
        {{"DROP", "DATABASE"}, &Parser::RestOfDropDatabase},
        {{"DROP", "MEASUREMENT"}, &Parser::RestOfDropMeasurement},
        {{"DROP", "RETENTION", "POLICY"}, &Parser::RestOfDropPolicy},
        {{"DROP", "SERIES"}, &Parser::RestOfDropSeries},
        {{"DELETE"}, &Parser::RestOfDelete},
    }};
    return kRules;
  }

  // Statements that are known and not served: how they begin, and what to use instead.
  struct Absent {
    std::array<std::string_view, 2> words;
    std::string_view advice;
  };
  static std::span<const Absent> AbsentStatements() {
    static constexpr std::string_view kSelect =
        "ask in PromQL: /api/v1/query and /api/v1/query_range, where a field `usage` of the measurement `cpu` is the "
        "metric cpu_usage and tags are labels; Grafana's data source is Prometheus at /db/NAME";
    static constexpr std::string_view kUsers = "who may do what is said by tokens: `tidemark admin token`";
    static constexpr std::string_view kRules = "use recording rules: rules.files";
    static constexpr std::string_view kNothing = "there is nothing like it here";
    static constexpr std::string_view kState = "see /metrics, /health and `tidemark admin databases`";
    static constexpr auto kAbsent = std::to_array<Absent>({
        {{"SELECT"}, kSelect},
        {{"EXPLAIN"}, kSelect},
        {{"CREATE", "USER"}, kUsers},
        {{"DROP", "USER"}, kUsers},
        {{"GRANT"}, kUsers},
        {{"REVOKE"}, kUsers},
        {{"SET"}, kUsers},
        {{"SHOW", "GRANTS"}, kUsers},
        {{"CREATE", "CONTINUOUS"}, kRules},
        {{"DROP", "CONTINUOUS"}, kRules},
        {{"SHOW", "CONTINUOUS"}, kRules},
        {{"CREATE", "SUBSCRIPTION"}, kNothing},
        {{"DROP", "SUBSCRIPTION"}, kNothing},
        {{"SHOW", "SUBSCRIPTIONS"}, kNothing},
        {{"DROP", "SHARD"}, kNothing},
        {{"SHOW", "SHARD"}, kState},
        {{"SHOW", "SHARDS"}, kState},
        {{"SHOW", "STATS"}, kState},
        {{"SHOW", "DIAGNOSTICS"}, kState},
        {{"SHOW", "QUERIES"}, kState},
        {{"KILL"}, "a query ends with its connection, and by query.timeout"},
    });
    return kAbsent;
  }

  Result<Statement> ParseStatement() {
    std::vector<const Rule*> candidates;
    for (const Rule& rule : Rules()) candidates.push_back(&rule);
    std::string before;
    for (size_t depth = 0;; ++depth) {
      std::vector<std::string_view> expected;
      std::vector<const Rule*> matching;
      for (const Rule* rule : candidates) {
        const std::string_view word = rule->words[depth];
        if (std::ranges::find(expected, word) == expected.end()) expected.push_back(word);
        if (token().Is(word)) matching.push_back(rule);
      }
      if (matching.empty()) {
        if (auto absent = TakeAbsent(before)) return *std::move(absent);
        return Unexpected(token(), fmt::format("{}", fmt::join(expected, ", ")));
      }
      if (depth == 0) before = token().text;
      Advance();
      const Rule& first = *matching.front();
      if (depth + 1 == first.words.size() || first.words[depth + 1].empty()) return (this->*first.rest)();
      candidates = std::move(matching);
    }
  }

  // A statement that is known and not served, up to its end: `before` is its first word where that has been taken.
  std::optional<Statement> TakeAbsent(std::string_view before) {
    for (const Absent& absent : AbsentStatements()) {
      const bool alone = absent.words[1].empty();
      if (alone ? !before.empty() || !token().Is(absent.words[0])
                : before != absent.words[0] || !token().Is(absent.words[1])) {
        continue;
      }
      std::string words(absent.words[0]);
      if (!alone) words += " " + std::string(absent.words[1]);
      while (token().kind != TokenKind::kEnd && !token().Is(";")) Advance();
      return NotServed{std::move(words), std::string(absent.advice)};
    }
    return std::nullopt;
  }

  Result<Statement> RestOfShowUsers() { return Statement(ShowUsers{}); }

  Result<Statement> RestOfShowSeries() {
    ShowSeries show;
    show.exact = TakeIf("EXACT");
    show.cardinality = TakeIf("CARDINALITY");
    if (show.exact && !show.cardinality) return Unexpected(token(), "CARDINALITY");
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    TM_TRY_ASSIGN(show.from, TakeFrom());
    TM_TRY_ASSIGN(show.where, ReadWhere(this, now_ns_));
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  Result<Statement> RestOfCreatePolicy() { return RestOfPolicy(ChangeRetentionPolicy::What::kCreate); }
  Result<Statement> RestOfAlterPolicy() { return RestOfPolicy(ChangeRetentionPolicy::What::kAlter); }
  Result<Statement> RestOfDropPolicy() { return RestOfPolicy(ChangeRetentionPolicy::What::kDrop); }

  Result<Statement> RestOfPolicy(ChangeRetentionPolicy::What what) {
    using What = ChangeRetentionPolicy::What;
    ChangeRetentionPolicy change;
    change.what = what;
    TM_TRY_ASSIGN(change.name, TakeIdent());
    if (!TakeIf("ON")) return Unexpected(token(), "ON");
    TM_TRY_ASSIGN(change.database, TakeIdent());
    if (what == What::kDrop) return Statement(std::move(change));
    if (what == What::kCreate && !token().Is("DURATION")) return Unexpected(token(), "DURATION");
    bool replicated = false;
    // In any order, as ALTER has them.
    for (;;) {
      if (TakeIf("DURATION")) {
        TM_TRY_ASSIGN(change.retention_ns, TakeDuration());
      } else if (TakeIf("REPLICATION")) {
        TM_RETURN_IF_ERROR(TakeInteger(1));
        replicated = true;
      } else if (TakeIf("SHARD")) {
        if (!TakeIf("DURATION")) return Unexpected(token(), "DURATION");
        TM_TRY_ASSIGN(change.shard_ns, TakeDuration());
      } else if (TakeIf("DEFAULT")) {
        change.is_default = true;
      } else {
        break;
      }
    }
    if (what == What::kCreate && !replicated) return Unexpected(token(), "REPLICATION");
    if (what == What::kAlter && !replicated && !change.is_default && !change.retention_ns && !change.shard_ns) {
      return Unexpected(token(), "DURATION, REPLICATION, SHARD, DEFAULT");
    }
    return Statement(std::move(change));
  }

  Result<Statement> RestOfDropMeasurement() {
    Delete drop;
    TM_TRY_ASSIGN(std::string name, TakeIdent());
    drop.from.push_back({model::MatchOp::kEqual, "", std::move(name)});
    return Statement(std::move(drop));
  }

  Result<Statement> RestOfDropSeries() {
    const Token begin = token();
    TM_TRY_ASSIGN(Delete drop, TakeDelete());
    if (drop.where.first_ns || drop.where.last_ns) {
      return ErrorAt(begin, "DROP SERIES doesn't support time in WHERE clause");
    }
    return Statement(std::move(drop));
  }

  Result<Statement> RestOfDelete() {
    TM_TRY_ASSIGN(Delete drop, TakeDelete());
    return Statement(std::move(drop));
  }

  Result<Delete> TakeDelete() {
    Delete drop;
    if (!token().Is("FROM") && !token().Is("WHERE")) return Unexpected(token(), "FROM, WHERE");
    TM_TRY_ASSIGN(drop.from, TakeFrom());
    TM_TRY_ASSIGN(drop.where, ReadWhere(this, now_ns_));
    return drop;
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
      if (!TakeIf("MEASUREMENT")) return Unexpected(token(), "MEASUREMENT");
      TM_TRY_ASSIGN(show.name, TakeComparison("", Operand::kName));
    }
    TM_TRY_ASSIGN(show.where, ReadWhere(this, now_ns_));
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  Result<Statement> RestOfCountMeasurements() {
    ShowMeasurements show;
    show.cardinality = true;
    show.exact = TakeIf("EXACT");
    if (!TakeIf("CARDINALITY")) return Unexpected(token(), show.exact ? "CARDINALITY" : "EXACT, CARDINALITY");
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    TM_TRY_ASSIGN(std::vector<model::Matcher> from, TakeFrom());
    if (from.size() > 1) return Unexpected(token(), "WHERE");
    if (!from.empty()) show.name = std::move(from.front());
    TM_TRY_ASSIGN(show.where, ReadWhere(this, now_ns_));
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  Result<Statement> RestOfShowFieldKeys() { return RestOfShowKeys(ShowKeys::What::kFieldKeys, Count::kNo); }
  Result<Statement> RestOfShowTagKeys() { return RestOfShowKeys(ShowKeys::What::kTagKeys, Count::kNo); }
  Result<Statement> RestOfShowTagValues() { return RestOfShowKeys(ShowKeys::What::kTagValues, Count::kMaybe); }
  Result<Statement> RestOfCountFieldKeys() { return RestOfShowKeys(ShowKeys::What::kFieldKeys, Count::kYes); }
  Result<Statement> RestOfCountTagKeys() { return RestOfShowKeys(ShowKeys::What::kTagKeys, Count::kYes); }

  // Whether [EXACT] CARDINALITY follows.
  enum class Count : uint8_t { kNo, kMaybe, kYes };

  Result<Statement> RestOfShowKeys(ShowKeys::What what, Count count) {
    ShowKeys show;
    show.what = what;
    if (count != Count::kNo) {
      const bool exact = TakeIf("EXACT");
      show.cardinality = TakeIf("CARDINALITY");
      if (!show.cardinality && (exact || count == Count::kYes)) {
        return Unexpected(token(), exact ? "CARDINALITY" : "EXACT, CARDINALITY");
      }
    }
    if (TakeIf("ON")) {
      TM_TRY_ASSIGN(show.database, TakeIdent());
    }
    TM_TRY_ASSIGN(show.from, TakeFrom());
    if (what == ShowKeys::What::kTagValues) {
      if (!TakeIf("WITH")) return Unexpected(token(), "WITH");
      if (!TakeIf("KEY")) return Unexpected(token(), "KEY");
      TM_RETURN_IF_ERROR(TakeKeys(&show));
    }
    if (what != ShowKeys::What::kFieldKeys) {
      TM_TRY_ASSIGN(show.where, ReadWhere(this, now_ns_));
    }
    TM_RETURN_IF_ERROR(TakeLimits(&show.limit, &show.offset));
    return Statement(std::move(show));
  }

  // "policy"."measurement", "measurement" or /regex/. There is one policy.
  Result<model::Matcher> TakeMeasurement() {
    if (token().Is("/")) {
      TM_TRY_ASSIGN(std::string regex, TakeRegex());
      return model::Matcher{model::MatchOp::kRegex, "", Unanchored(regex)};
    }
    TM_TRY_ASSIGN(std::string name, TakeIdent());
    while (TakeIf(".")) {
      if (token().Is(".")) continue;
      TM_TRY_ASSIGN(name, TakeIdent());
    }
    return model::Matcher{model::MatchOp::kEqual, "", std::move(name)};
  }

  // = "key", != "key", IN ("a", "b"), =~ /regex/, !~ /regex/.
  Status TakeKeys(ShowKeys* show) {
    if (TakeIf("IN")) {
      if (!TakeIf("(")) return Unexpected(token(), "(");
      do {
        TM_TRY_ASSIGN(std::string key, TakeIdent());
        show->keys.push_back(std::move(key));
      } while (TakeIf(","));
      if (!TakeIf(")")) return Unexpected(token(), ")");
      return {};
    }
    TM_TRY_ASSIGN(model::Matcher key, TakeComparison("", Operand::kName));
    if (key.op == model::MatchOp::kEqual) {
      show->keys.push_back(std::move(key.value));
    } else {
      show->key_match = std::move(key);
    }
    return {};
  }

  // FROM measurement, measurement, ...
  Result<std::vector<model::Matcher>> TakeFrom() {
    std::vector<model::Matcher> out;
    if (!TakeIf("FROM")) return out;
    do {
      TM_TRY_ASSIGN(model::Matcher measurement, TakeMeasurement());
      out.push_back(std::move(measurement));
    } while (TakeIf(","));
    return out;
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
  // order. Three have a meaning here: there are no copies, and any time may be written.
  Status ParsePolicy(CreateDatabase& create) {
    constexpr std::array<std::string_view, 6> kOptions{"DURATION", "NAME", "REPLICATION", "SHARD", "FUTURE", "PAST"};
    if (std::ranges::none_of(kOptions, [this](std::string_view word) { return token().Is(word); })) {
      return Unexpected(token(), fmt::format("{}", fmt::join(kOptions, ", ")));
    }
    if (TakeIf("DURATION")) {
      TM_TRY_ASSIGN(create.retention_ns, TakeDuration());
    }
    if (TakeIf("REPLICATION")) TM_RETURN_IF_ERROR(TakeInteger(1));
    if (TakeIf("SHARD")) {
      if (!TakeIf("DURATION")) return Unexpected(token(), "DURATION");
      TM_TRY_ASSIGN(create.shard_ns, TakeDuration());
    }
    for (const std::string_view side : {std::string_view("FUTURE"), std::string_view("PAST")}) {
      if (!TakeIf(side)) continue;
      if (!TakeIf("LIMIT")) return Unexpected(token(), "LIMIT");
      TM_RETURN_IF_ERROR(TakeDuration());
    }
    if (TakeIf("NAME")) {
      TM_TRY_ASSIGN(create.policy, TakeIdent());
    }
    return {};
  }

  const int64_t now_ns_;
};

}  // namespace

std::string_view DatabaseOf(const Statement& statement) {
  return std::visit(
      []<typename T>(const T& of) -> std::string_view {
        if constexpr (std::is_same_v<T, ShowDatabases> || std::is_same_v<T, ShowUsers> || std::is_same_v<T, Delete> ||
                      std::is_same_v<T, NotServed>) {
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
  return !std::holds_alternative<CreateDatabase>(statement) && !std::holds_alternative<DropDatabase>(statement) &&
         !std::holds_alternative<ChangeRetentionPolicy>(statement) && !std::holds_alternative<Delete>(statement);
}

Result<std::vector<Statement>> Parse(std::string_view text, int64_t now_ns) { return Parser(text, now_ns).ParseAll(); }

}  // namespace tidemark::query::influxql
