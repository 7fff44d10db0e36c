#include "query/influxql/parser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "query/influxql/condition.h"
#include "query/influxql/name_match.h"

namespace tidemark::query::influxql {
namespace {

Statement One(std::string_view text) {
  auto statements = Parse(text);
  if (!statements.ok() || statements->size() != 1) {
    ADD_FAILURE() << text << ": " << (statements.ok() ? "not one statement" : statements.error().message);
    return DropDatabase{"no statement"};
  }
  return std::move(statements->front());
}

std::string Refusal(std::string_view text) {
  const auto statements = Parse(text);
  return statements.ok() ? "accepted" : statements.error().message;
}

TEST(Influxql, CreateDatabase) {
  EXPECT_EQ(One("CREATE DATABASE mydb"), Statement(CreateDatabase{"mydb", {}}));
  EXPECT_EQ(One("create database \"my db\""), Statement(CreateDatabase{"my db", {}}));
  EXPECT_EQ(One(R"(CREATE DATABASE "a\"b\\c\nd\'e")"), Statement(CreateDatabase{"a\"b\\c\nd'e", {}}));
  EXPECT_EQ(One("CREATE DATABASE \"select\""), Statement(CreateDatabase{"select", {}}));
  EXPECT_EQ(One("CREATE DATABASE _internal"), Statement(CreateDatabase{"_internal", {}}));
  EXPECT_EQ(One("CREATE DATABASE \"mañana\""), Statement(CreateDatabase{"mañana", {}}));
}

TEST(Influxql, CreateDatabaseTakesAPolicyAndKeepsItsDuration) {
  constexpr int64_t kDayNs = 86'400'000'000'000;
  EXPECT_EQ(One("CREATE DATABASE d WITH DURATION 7d"), Statement(CreateDatabase{"d", 7 * kDayNs}));
  EXPECT_EQ(One("CREATE DATABASE d WITH DURATION INF REPLICATION 1 SHARD DURATION 1h NAME \"autogen\""),
            Statement(CreateDatabase{"d", 0, 3'600'000'000'000, "autogen"}));
  EXPECT_EQ(One("CREATE DATABASE d WITH REPLICATION 2"), Statement(CreateDatabase{"d", {}}));
  EXPECT_EQ(One("CREATE DATABASE d WITH DURATION 1h30m FUTURE LIMIT 1h PAST LIMIT 2h"),
            Statement(CreateDatabase{"d", 5'400'000'000'000}));
  EXPECT_EQ(One("CREATE DATABASE d WITH DURATION 5ms6u7ns8µ"), Statement(CreateDatabase{"d", 5'014'007}));
  EXPECT_EQ(One("CREATE DATABASE d WITH NAME x"), Statement(CreateDatabase{"d", {}, {}, "x"}));
}

TEST(Influxql, TheOthers) {
  EXPECT_EQ(One("DROP DATABASE \"x\""), Statement(DropDatabase{"x"}));
  EXPECT_EQ(One("SHOW DATABASES"), Statement(ShowDatabases{}));
  EXPECT_EQ(One("  sHoW\tdatabases ;"), Statement(ShowDatabases{}));
  EXPECT_EQ(One("SHOW RETENTION POLICIES ON \"x\""), Statement(ShowRetentionPolicies{"x"}));
  EXPECT_EQ(One("SHOW RETENTION POLICIES"), Statement(ShowRetentionPolicies{""}));
  EXPECT_EQ(One("SHOW MEASUREMENTS"), Statement(ShowMeasurements{}));
  EXPECT_EQ(One("SHOW MEASUREMENTS ON x LIMIT 1"),
            Statement(ShowMeasurements{.database = "x", .name = {}, .where = {}, .limit = 1}));
  EXPECT_EQ(One("SHOW MEASUREMENTS LIMIT 10 OFFSET 20"),
            Statement(ShowMeasurements{.database = "", .name = {}, .where = {}, .limit = 10, .offset = 20}));
}

TEST(Influxql, SeveralStatementsAndComments) {
  const auto statements =
      Parse("; CREATE DATABASE a -- the first\n; /* the * second */ DROP DATABASE b;;SHOW DATABASES");
  ASSERT_TRUE(statements.ok()) << statements.error().message;
  EXPECT_EQ(*statements, (std::vector<Statement>{CreateDatabase{"a", {}}, DropDatabase{"b"}, ShowDatabases{}}));
  for (const std::string_view blank : {"", " ", ";;", "-- nothing", "/* nothing */"}) {
    const auto none = Parse(blank);
    ASSERT_TRUE(none.ok()) << blank;
    EXPECT_TRUE(none->empty());
  }
}

TEST(Influxql, OnlySomeChangeAnything) {
  EXPECT_FALSE(IsReadOnly(CreateDatabase{}));
  EXPECT_FALSE(IsReadOnly(DropDatabase{}));
  EXPECT_TRUE(IsReadOnly(ShowDatabases{}));
  EXPECT_TRUE(IsReadOnly(ShowRetentionPolicies{}));
  EXPECT_TRUE(IsReadOnly(ShowMeasurements{}));
}

TEST(Influxql, ErrorsAreInInfluxdbsWords) {
  EXPECT_EQ(Refusal("foo"),
            "error parsing query: found foo, expected SHOW, CREATE, ALTER, DROP, DELETE at line 1, char 1");
  EXPECT_EQ(
      Refusal("SHOW"),
      "error parsing query: found EOF, expected DATABASES, FIELD, MEASUREMENT, MEASUREMENTS, RETENTION, SERIES, TAG, "
      "USERS at line 1, char 6");
  EXPECT_EQ(Refusal("SHOW TAG KEY"), "error parsing query: found EOF, expected EXACT, CARDINALITY at line 1, char 14");
  EXPECT_EQ(Refusal("SHOW MEASUREMENT EXACT"),
            "error parsing query: found EOF, expected CARDINALITY at line 1, char 24");
  EXPECT_EQ(Refusal("DROP SERIES"), "error parsing query: found EOF, expected FROM, WHERE at line 1, char 13");
  EXPECT_EQ(Refusal("DELETE"), "error parsing query: found EOF, expected FROM, WHERE at line 1, char 8");
  EXPECT_EQ(Refusal("SHOW RETENTION ON x"), "error parsing query: found ON, expected POLICIES at line 1, char 16");
  EXPECT_EQ(Refusal("CREATE DATABASE"), "error parsing query: found EOF, expected identifier at line 1, char 17");
  EXPECT_EQ(Refusal("CREATE DATABASE "), "error parsing query: found EOF, expected identifier at line 1, char 18");
  EXPECT_EQ(Refusal("CREATE DATABASE select"),
            "error parsing query: found SELECT, expected identifier at line 1, char 17");
  EXPECT_EQ(Refusal("CREATE DATABASE 'x'"), "error parsing query: found x, expected identifier at line 1, char 17");
  EXPECT_EQ(Refusal("CREATE DATABASE 7d"), "error parsing query: found 7d, expected identifier at line 1, char 17");
  EXPECT_EQ(Refusal("CREATE DATABASE a b"), "error parsing query: found b, expected ; at line 1, char 19");
  EXPECT_EQ(Refusal("CREATE DATABASE a.b"), "error parsing query: found ., expected ; at line 1, char 18");
  EXPECT_EQ(
      Refusal("CREATE DATABASE \"testdb\" WITH"),
      "error parsing query: found EOF, expected DURATION, NAME, REPLICATION, SHARD, FUTURE, PAST at line 1, char 31");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH DURATION"),
            "error parsing query: found EOF, expected duration at line 1, char 33");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH DURATION 7"),
            "error parsing query: found 7, expected duration at line 1, char 33");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH DURATION 7x"), "error parsing query: invalid duration at line 1, char 33");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH DURATION 99999999999w"),
            "error parsing query: invalid duration at line 1, char 33");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH REPLICATION 0"),
            "error parsing query: invalid value 0: must be 1 <= n <= 2147483647 at line 1, char 36");
  EXPECT_EQ(Refusal("CREATE DATABASE a WITH NAME x DURATION 1h"),
            "error parsing query: found DURATION, expected ; at line 1, char 31");
  EXPECT_EQ(Refusal("SHOW MEASUREMENTS LIMIT x"), "error parsing query: found x, expected integer at line 1, char 25");
  EXPECT_EQ(Refusal("SHOW MEASUREMENTS LIMIT 99999999999"),
            "error parsing query: invalid value 99999999999: must be 0 <= n <= 2147483647 at line 1, char 25");
  EXPECT_EQ(Refusal("SHOW DATABASES\n\n  SHOW DATABASES"),
            "error parsing query: found SHOW, expected ; at line 3, char 3");
  EXPECT_EQ(Refusal("DROP DATABASE \"é\" x"), "error parsing query: found x, expected ; at line 1, char 19");
  EXPECT_EQ(Refusal("DROP DATABASE \"abc"), "error parsing query: found abc, expected identifier at line 1, char 15");
  EXPECT_EQ(Refusal("DROP DATABASE \"a\\qb\""),
            "error parsing query: found \\q, expected identifier at line 1, char 15");
  EXPECT_EQ(Refusal("/* no end"),
            "error parsing query: found ILLEGAL, expected SHOW, CREATE, ALTER, DROP, DELETE at line 1, char 1");
  EXPECT_EQ(Refusal("§"), "error parsing query: found §, expected SHOW, CREATE, ALTER, DROP, DELETE at line 1, char 1");
}

TEST(Influxql, CountsInPlaceOfLists) {
  const auto one = [](const char* text) {
    const auto parsed = Parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.error().message;
    return parsed.ok() && parsed->size() == 1 ? parsed->front() : Statement();
  };
  ShowMeasurements measurements;
  measurements.cardinality = true;
  EXPECT_EQ(one("SHOW MEASUREMENT CARDINALITY"), Statement(measurements));
  measurements.exact = true;
  measurements.database = "x";
  EXPECT_EQ(one("SHOW MEASUREMENT EXACT CARDINALITY ON x"), Statement(measurements));
  ShowKeys keys;
  keys.cardinality = true;
  EXPECT_EQ(one("SHOW FIELD KEY CARDINALITY"), Statement(keys));
  keys.what = ShowKeys::What::kTagKeys;
  EXPECT_EQ(one("SHOW TAG KEY EXACT CARDINALITY"), Statement(keys));
  keys.what = ShowKeys::What::kTagValues;
  keys.keys = {"host"};
  EXPECT_EQ(one("SHOW TAG VALUES CARDINALITY WITH KEY = host"), Statement(keys));
  keys.cardinality = false;
  EXPECT_EQ(one("SHOW TAG VALUES WITH KEY = host"), Statement(keys));
}

TEST(Influxql, ReadsWhatEditorsAskForNames) {
  using model::MatchOp;
  ShowMeasurements measurements;
  measurements.limit = 100;
  measurements.name = {MatchOp::kRegex, "", "(?s:.*)(?:(?i)cpu/x)(?s:.*)"};
  measurements.where.any_of = {{{MatchOp::kEqual, "host", "a"}, {MatchOp::kNotRegex, "os", "(?s:.*)(?:^win)(?s:.*)"}}};
  EXPECT_EQ(
      One(R"(SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)cpu\/x/ WHERE "host" = 'a' AND "os"::tag !~ /^win/ LIMIT 100)"),
      Statement(measurements));
  ShowKeys values;
  values.what = ShowKeys::What::kTagValues;
  values.from = {{MatchOp::kEqual, "", "cpu"}};
  values.keys = {"host"};
  EXPECT_EQ(One(R"(SHOW TAG VALUES FROM "autogen"."cpu" WITH KEY = "host")"), Statement(values));
  EXPECT_EQ(One(R"(SHOW TAG VALUES FROM "db".."cpu" WITH KEY = host)"), Statement(values));
  values.keys = {"host", "region"};
  values.from = {{MatchOp::kRegex, "", "(?s:.*)(?:^c)(?s:.*)"}};
  EXPECT_EQ(One(R"(SHOW TAG VALUES FROM /^c/ WITH KEY IN ("host", "region"))"), Statement(values));
  ShowKeys keys;
  keys.what = ShowKeys::What::kTagKeys;
  EXPECT_EQ(One("SHOW TAG KEYS"), Statement(keys));
  keys.database = "d";
  keys.what = ShowKeys::What::kFieldKeys;
  keys.from = {{MatchOp::kEqual, "", "m"}};
  EXPECT_EQ(One(R"(show field keys on d from "m")"), Statement(keys));
  EXPECT_TRUE(IsReadOnly(keys));
  for (const char* text :
       {"SHOW TAG VALUES", "SHOW TAG VALUES WITH KEY", "SHOW TAG VALUES WITH KEY = 'x'", "SHOW TAG",
        "SHOW TAG VALUES WITH KEY =~ x", "SHOW TAG VALUES WITH KEY =~ /x", "SHOW FIELD KEYS FROM",
        "SHOW TAG KEYS WHERE host", "SHOW TAG KEYS WHERE host = a", "SHOW TAG KEYS WHERE host > 'a'",
        "SHOW TAG KEYS WHERE host::field = 'a'", "SHOW FIELD KEYS WHERE a = 'b'", "SHOW MEASUREMENTS WITH MEASUREMENT",
        "SHOW TAG VALUES WITH KEY IN (a", "SHOW TAG KEYS FROM /"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
}

TEST(Influxql, ConditionsAreWrittenOut) {
  using model::MatchOp;
  constexpr int64_t kNow = 1'700'000'000'000'000'000;
  constexpr int64_t kHour = 3'600'000'000'000;
  const auto where = [](std::string_view text) {
    auto statements = Parse("SHOW TAG KEYS FROM a, /b/ WHERE " + std::string(text), kNow);
    if (!statements.ok()) {
      ADD_FAILURE() << text << ": " << statements.error().message;
      return Condition{};
    }
    const auto& show = std::get<ShowKeys>(statements->front());
    EXPECT_EQ(show.from.size(), 2U);
    return show.where;
  };
  const model::Matcher a{MatchOp::kEqual, "h", "a"};
  const model::Matcher b{MatchOp::kEqual, "h", "b"};
  const model::Matcher x{MatchOp::kNotEqual, "dc", "x"};
  EXPECT_EQ(where("h = 'a' OR h = 'b' AND dc != 'x'"), (Condition{.any_of = {{a}, {b, x}}}));
  EXPECT_EQ(where("(h = 'a' OR h = 'b') AND dc <> 'x'"), (Condition{.any_of = {{a, x}, {b, x}}}));
  EXPECT_EQ(where("((h = 'a'))"), (Condition{.any_of = {{a}}}));
  EXPECT_EQ(where("time > now() - 1h"), (Condition{.first_ns = kNow - kHour + 1}));
  EXPECT_EQ(where("time >= now() - 1h - 1h AND time < now() + 1h AND (h = 'a' OR h = 'b')"),
            (Condition{.any_of = {{a}, {b}}, .first_ns = kNow - 2 * kHour, .last_ns = kNow + kHour - 1}));
  EXPECT_EQ(where("time = 1700000000s"), (Condition{.first_ns = kNow, .last_ns = kNow}));
  EXPECT_EQ(where("time <= 1700000000000000000 AND time > -1h"), (Condition{.first_ns = 1 - kHour, .last_ns = kNow}));
  EXPECT_EQ(where("time >= '2023-11-14T22:13:20Z'"), (Condition{.first_ns = kNow}));
  EXPECT_EQ(where("time >= '2023-11-14 22:13:20'"), (Condition{.first_ns = kNow}));
  for (const char* text :
       {"WHERE", "WHERE foo", "WHERE (h = 'a'", "WHERE h = 'a' OR", "WHERE time > 'x'", "WHERE time ~ 1",
        "WHERE h = 'a' OR time > now()", "WHERE time > now() - ", "WHERE time > now( - 1h"}) {
    EXPECT_FALSE(Parse(std::string("SHOW TAG KEYS ") + text, kNow).ok()) << text;
  }
  std::string deep(1000, '(');
  EXPECT_FALSE(Parse("SHOW TAG KEYS WHERE " + deep + "h = 'a'", kNow).ok());
  std::string wide = "(h = 'a' OR h = 'b')";
  for (int i = 0; i < 20; ++i) wide += " AND (h = 'a' OR h = 'b')";
  EXPECT_TRUE(Refusal("SHOW TAG KEYS WHERE " + wide).contains("more than 256 alternatives"));
}

TEST(Influxql, SeriesPoliciesAndDeletions) {
  using model::MatchOp;
  constexpr int64_t kDay = 86'400'000'000'000;
  EXPECT_EQ(One("SHOW SERIES"), Statement(ShowSeries{}));
  EXPECT_EQ(One("SHOW SERIES EXACT CARDINALITY ON d"),
            Statement(ShowSeries{.cardinality = true, .exact = true, .database = "d"}));
  EXPECT_EQ(One("SHOW SERIES FROM cpu LIMIT 2"),
            Statement(ShowSeries{.from = {{MatchOp::kEqual, "", "cpu"}}, .limit = 2}));
  EXPECT_EQ(One("SHOW USERS"), Statement(ShowUsers{}));
  using What = ChangeRetentionPolicy::What;
  EXPECT_EQ(One("CREATE RETENTION POLICY two ON d DURATION 14d REPLICATION 1 SHARD DURATION 1d DEFAULT"),
            Statement(ChangeRetentionPolicy{What::kCreate, "two", "d", 14 * kDay, kDay, true}));
  EXPECT_EQ(One("ALTER RETENTION POLICY autogen ON d DURATION INF"),
            Statement(ChangeRetentionPolicy{What::kAlter, "autogen", "d", 0, {}, false}));
  EXPECT_EQ(One("DROP RETENTION POLICY two ON d"),
            Statement(ChangeRetentionPolicy{What::kDrop, "two", "d", {}, {}, false}));
  EXPECT_EQ(One("DROP MEASUREMENT \"m 1\""), Statement(Delete{.from = {{MatchOp::kEqual, "", "m 1"}}}));
  EXPECT_EQ(
      One("DROP SERIES FROM m WHERE h = 'a'"),
      Statement(Delete{.from = {{MatchOp::kEqual, "", "m"}}, .where = {.any_of = {{{MatchOp::kEqual, "h", "a"}}}}}));
  EXPECT_EQ(One("DELETE FROM m WHERE time < 10"),
            Statement(Delete{.from = {{MatchOp::kEqual, "", "m"}}, .where = {.last_ns = 9}}));
  EXPECT_EQ(Refusal("DROP SERIES WHERE time > 0").substr(0, 76),
            "error parsing query: DROP SERIES doesn't support time in WHERE clause at lin");
  EXPECT_FALSE(Parse("CREATE RETENTION POLICY two ON d DURATION 14d").ok());
  EXPECT_FALSE(Parse("ALTER RETENTION POLICY two ON d").ok());
  for (const Statement& changes : {Statement(ChangeRetentionPolicy{}), Statement(Delete{})})
    EXPECT_FALSE(IsReadOnly(changes));
}

TEST(Influxql, WhatIsKnownAndNotServedSaysSo) {
  for (const auto& [text, words] : {std::pair{"SELECT mean(x) FROM (SELECT 1) WHERE time > now() - 1h; ", "SELECT"},
                                    std::pair{"CREATE USER a WITH PASSWORD 'x'", "CREATE USER"},
                                    std::pair{"show continuous queries", "SHOW CONTINUOUS"},
                                    std::pair{"GRANT ALL TO x", "GRANT"}, std::pair{"KILL QUERY 1", "KILL"}}) {
    const Statement statement = One(text);
    ASSERT_TRUE(std::holds_alternative<NotServed>(statement)) << text;
    EXPECT_EQ(std::get<NotServed>(statement).words, words);
    EXPECT_FALSE(std::get<NotServed>(statement).advice.empty());
  }
  EXPECT_EQ(Parse("SELECT 1; SHOW DATABASES")->size(), 2U);
}

TEST(Influxql, NamesAreMatchedAsInfluxDbDoes) {
  const std::vector<std::string> names{"cpu", "cpu load", "disk", "a.b"};
  const auto filter = [&](model::MatchOp op, std::string value) {
    const auto out = Filter({op, "", std::move(value)}, names);
    return out.ok() ? *out : std::vector<std::string>{"error"};
  };
  EXPECT_EQ(filter(model::MatchOp::kRegex, Unanchored("(?i)CPU")), (std::vector<std::string>{"cpu", "cpu load"}));
  EXPECT_EQ(filter(model::MatchOp::kRegex, Unanchored("^d|load$")), (std::vector<std::string>{"cpu load", "disk"}));
  EXPECT_EQ(filter(model::MatchOp::kNotRegex, Unanchored("u")), (std::vector<std::string>{"disk", "a.b"}));
  EXPECT_EQ(filter(model::MatchOp::kEqual, "disk"), (std::vector<std::string>{"disk"}));
  EXPECT_EQ(filter(model::MatchOp::kNotEqual, "disk").size(), 3U);
  EXPECT_EQ(filter(model::MatchOp::kRegex, Unanchored("(")), (std::vector<std::string>{"error"}));
  EXPECT_EQ(OneOf("l", names), (model::Matcher{model::MatchOp::kRegex, "l", "cpu|cpu\\ load|disk|a\\.b"}));
}

TEST(Influxql, RandomTextNeverHarms) {
  std::random_device device;
  const auto seed = device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::string_view kPieces[] = {
      "CREATE", "DATABASE", "SHOW",   "DROP", "WITH", "DURATION", "7d",   " ",     "\"a\"",        "'b'", "\"",    ";",
      "--",     "/*",       "*/",     "\\",   "\n",   "x",        "\xff", "µ",     "5.",           "::",  "LIMIT", "ON",
      "TAG",    "KEYS",     "VALUES", "KEY",  "=~",   "/",        "FROM", "WHERE", "MEASUREMENTS", "IN",  "("};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t i = random() % 12; i > 0; --i) text += kPieces[random() % std::size(kPieces)];
    const auto statements = Parse(text);
    if (!statements.ok()) {
      ASSERT_TRUE(statements.error().message.starts_with("error parsing query: ")) << text;
    }
  }
}

TEST(Influxql, PredicatesAreConditionsWithValuesInAnyQuotes) {
  using model::MatchOp;
  const auto read = [](std::string_view text) {
    auto condition = ParsePredicate(text);
    EXPECT_TRUE(condition.ok()) << text << ": " << (condition.ok() ? "" : condition.error().message);
    return condition.ok() ? std::move(condition)->any_of : std::vector<std::vector<model::Matcher>>{};
  };
  const model::Matcher cpu{MatchOp::kEqual, "_measurement", "cpu"};
  const model::Matcher host{MatchOp::kEqual, "host", "a b"};
  using Branches = std::vector<std::vector<model::Matcher>>;
  EXPECT_EQ(read(R"(_measurement="cpu" AND host="a b")"), (Branches{{cpu, host}}));
  EXPECT_EQ(read(R"(_measurement=cpu and "host"='a b')"), (Branches{{cpu, host}}));
  EXPECT_EQ(read(R"((_measurement="cpu" OR host="a b"))"), (Branches{{cpu}, {host}}));
  // A time is a tag here as any other word, and so is the keyword "name".
  EXPECT_EQ(read("name=1 AND time=true AND port!=8.5"), (Branches{{{MatchOp::kEqual, "name", "1"},
                                                                   {MatchOp::kEqual, "time", "true"},
                                                                   {MatchOp::kNotEqual, "port", "8.5"}}}));
  EXPECT_EQ(read("host=~/^a/"), (Branches{{{MatchOp::kRegex, "host", Unanchored("^a")}}}));
  EXPECT_EQ(read("  "), Branches{});
  for (const std::string_view bad : {"host", "host=", "host=a b", "=a", "(host=a", "host=a)", "host=a AND", "host>1"}) {
    EXPECT_FALSE(ParsePredicate(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace tidemark::query::influxql
