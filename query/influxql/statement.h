// The InfluxQL statements that Tidemark answers, as Parse (parser.h) returns them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/model/matcher.h"

namespace tidemark::query::influxql {

// CREATE DATABASE "name" [WITH ...]
struct CreateDatabase {
  std::string name;
  // WITH DURATION: how long points are kept, in nanoseconds; 0 for ever. Absent when it is not said.
  std::optional<int64_t> retention_ns;
  friend bool operator==(const CreateDatabase&, const CreateDatabase&) = default;
};

// DROP DATABASE "name"
struct DropDatabase {
  std::string name;
  friend bool operator==(const DropDatabase&, const DropDatabase&) = default;
};

// SHOW DATABASES
struct ShowDatabases {
  friend bool operator==(const ShowDatabases&, const ShowDatabases&) = default;
};

// SHOW RETENTION POLICIES [ON "database"]
struct ShowRetentionPolicies {
  std::string database;  // empty: the request's own
  friend bool operator==(const ShowRetentionPolicies&, const ShowRetentionPolicies&) = default;
};

// SHOW MEASUREMENTS [ON "database"] [WITH MEASUREMENT =|=~|!=|!~ ...] [WHERE tags] [LIMIT n] [OFFSET n]
struct ShowMeasurements {
  std::string database;  // empty: the request's own
  std::optional<model::Matcher> name;
  std::vector<model::Matcher> where;  // of tags; all must hold
  uint64_t limit = 0;                 // 0: all
  uint64_t offset = 0;
  friend bool operator==(const ShowMeasurements&, const ShowMeasurements&) = default;
};

// SHOW FIELD KEYS, SHOW TAG KEYS, SHOW TAG VALUES: [ON "database"] [FROM measurement] [WITH KEY ...] [WHERE tags]
// [LIMIT n] [OFFSET n], the limits for each measurement. Only TAG VALUES has WITH KEY, and must; FIELD KEYS no WHERE.
struct ShowKeys {
  enum class What : uint8_t { kFieldKeys, kTagKeys, kTagValues };
  What what = What::kFieldKeys;
  std::string database;                     // empty: the request's own
  std::optional<model::Matcher> from;       // absent: all measurements
  std::vector<std::string> keys;            // WITH KEY = or IN
  std::optional<model::Matcher> key_match;  // WITH KEY =~ or !~ or !=
  std::vector<model::Matcher> where;
  uint64_t limit = 0;
  uint64_t offset = 0;
  friend bool operator==(const ShowKeys&, const ShowKeys&) = default;
};

using Statement =
    std::variant<CreateDatabase, DropDatabase, ShowDatabases, ShowRetentionPolicies, ShowMeasurements, ShowKeys>;

// The database that a statement is about, where it names one: what a caller needs a right to. "" where it names none:
// the request's own, or, for SHOW DATABASES, all.
std::string_view DatabaseOf(const Statement& statement);

// Whether the statement only reads: a GET request may carry it.
bool IsReadOnly(const Statement& statement);

}  // namespace tidemark::query::influxql
