// The InfluxQL statements that Tidemark answers, as Parse (parser.h) returns them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/model/matcher.h"
#include "storage/model/timestamp.h"

namespace tidemark::query::influxql {

// WHERE: comparisons of tags joined by AND, OR and parentheses, and bounds of time that hold for all of it.
struct Condition {
  // Any of these, all matchers of it; none: everything.
  std::vector<std::vector<model::Matcher>> any_of = {};
  std::optional<int64_t> first_ns = {};  // inclusive, as the last
  std::optional<int64_t> last_ns = {};
  [[nodiscard]] bool everything() const { return any_of.empty() && !first_ns && !last_ns; }
  [[nodiscard]] model::TimeRange range() const {
    model::TimeRange out;
    if (first_ns) out.first.ns = *first_ns;
    if (last_ns) out.last.ns = *last_ns;
    return out;
  }
  friend bool operator==(const Condition&, const Condition&) = default;
};

// CREATE DATABASE "name" [WITH ...]
struct CreateDatabase {
  std::string name;
  // WITH DURATION: how long points are kept, in nanoseconds; 0 for ever. Absent when it is not said.
  std::optional<int64_t> retention_ns = {};
  // SHARD DURATION: the length of a partition, in nanoseconds.
  std::optional<int64_t> shard_ns = {};
  // NAME: what its retention policy is called; "" when it is not said.
  std::string policy = {};
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

// SHOW USERS: there are tokens, not users.
struct ShowUsers {
  friend bool operator==(const ShowUsers&, const ShowUsers&) = default;
};

// CREATE, ALTER or DROP RETENTION POLICY name ON "database" [DURATION d] [REPLICATION n] [SHARD DURATION d] [DEFAULT].
struct ChangeRetentionPolicy {
  enum class What : uint8_t { kCreate, kAlter, kDrop };
  What what = What::kCreate;
  std::string name;
  std::string database;
  std::optional<int64_t> retention_ns = {};
  std::optional<int64_t> shard_ns = {};
  bool is_default = false;
  friend bool operator==(const ChangeRetentionPolicy&, const ChangeRetentionPolicy&) = default;
};

// SHOW RETENTION POLICIES [ON "database"]
struct ShowRetentionPolicies {
  std::string database;  // empty: the request's own
  friend bool operator==(const ShowRetentionPolicies&, const ShowRetentionPolicies&) = default;
};

// SHOW MEASUREMENT [EXACT] CARDINALITY ..., which counts them, and SHOW MEASUREMENTS [ON "database"] [WITH MEASUREMENT
// =|=~|!=|!~ ...] [WHERE condition] [LIMIT n] [OFFSET n]
struct ShowMeasurements {
  std::string database;  // empty: the request's own
  std::optional<model::Matcher> name;
  Condition where = {};
  uint64_t limit = 0;  // 0: all
  uint64_t offset = 0;
  bool cardinality = false;
  bool exact = false;
  friend bool operator==(const ShowMeasurements&, const ShowMeasurements&) = default;
};

// SHOW FIELD KEYS, SHOW TAG KEYS, SHOW TAG VALUES: [ON "database"] [FROM measurements] [WITH KEY ...] [WHERE
// condition] [LIMIT n] [OFFSET n], the limits for each measurement. Only TAG VALUES has WITH KEY, and must; FIELD KEYS
// no WHERE. SHOW FIELD KEY, TAG KEY or TAG VALUES [EXACT] CARDINALITY counts them for each measurement.
struct ShowKeys {
  enum class What : uint8_t { kFieldKeys, kTagKeys, kTagValues };
  What what = What::kFieldKeys;
  std::string database;                     // empty: the request's own
  std::vector<model::Matcher> from;         // any of these; none: all measurements
  std::vector<std::string> keys;            // WITH KEY = or IN
  std::optional<model::Matcher> key_match;  // WITH KEY =~ or !~ or !=
  Condition where = {};
  uint64_t limit = 0;
  uint64_t offset = 0;
  bool cardinality = false;
  friend bool operator==(const ShowKeys&, const ShowKeys&) = default;
};

// SHOW SERIES [[EXACT] CARDINALITY] [ON "database"] [FROM measurements] [WHERE condition] [LIMIT n] [OFFSET n]
struct ShowSeries {
  bool cardinality = false;
  bool exact = false;
  std::string database = {};
  std::vector<model::Matcher> from = {};
  Condition where = {};
  uint64_t limit = 0;
  uint64_t offset = 0;
  friend bool operator==(const ShowSeries&, const ShowSeries&) = default;
};

// DROP MEASUREMENT m, DROP SERIES [FROM measurements] [WHERE tags], DELETE [FROM measurements] [WHERE condition], of
// the request's database.
struct Delete {
  std::vector<model::Matcher> from = {};
  Condition where = {};
  friend bool operator==(const Delete&, const Delete&) = default;
};

// A statement that InfluxDB has and Tidemark does not answer.
struct NotServed {
  std::string words;   // it begins with them: SELECT
  std::string advice;  // what to use instead
  friend bool operator==(const NotServed&, const NotServed&) = default;
};

using Statement = std::variant<CreateDatabase, DropDatabase, ShowDatabases, ShowUsers, ChangeRetentionPolicy,
                               ShowRetentionPolicies, ShowMeasurements, ShowKeys, ShowSeries, Delete, NotServed>;

// The database that a statement is about, where it names one: what a caller needs a right to. "" where it names none:
// the request's own, or, for SHOW DATABASES, all.
std::string_view DatabaseOf(const Statement& statement);

// Whether the statement only reads: a GET request may carry it.
bool IsReadOnly(const Statement& statement);

}  // namespace tidemark::query::influxql
