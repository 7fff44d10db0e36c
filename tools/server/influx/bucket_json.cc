#include "tools/server/influx/bucket_json.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <limits>
#include <utility>

#include "query/api/json.h"
#include "query/influxql/condition.h"
#include "storage/base/hash.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/query_escape.h"

namespace tidemark::server {
namespace {

namespace dom = simdjson::dom;
using text::AppendJsonString;

constexpr int64_t kNsPerSecond = 1'000'000'000;

Result<dom::element> ParseBody(dom::parser* parser, std::string_view body) {
  dom::element root;
  if (const simdjson::error_code error = parser->parse(body.data(), body.size(), true).get(root);
      error != simdjson::SUCCESS) {
    return InvalidArgument(fmt::format("the body is no JSON: {}", simdjson::error_message(error)));
  }
  if (!root.is_object()) return InvalidArgument("the body must be a JSON object");
  return root;
}

// Seconds of a retention rule as nanoseconds; nothing where they are not given.
Result<std::optional<int64_t>> SecondsOf(dom::element rule, std::string_view key, std::string_view what) {
  const auto value = rule[key];
  if (value.error() != simdjson::SUCCESS || value.is_null()) return std::optional<int64_t>();
  int64_t seconds = 0;
  if (value.get(seconds) != simdjson::SUCCESS || seconds > std::numeric_limits<int64_t>::max() / kNsPerSecond) {
    return InvalidArgument(fmt::format("{} must be a whole number of seconds", key));
  }
  if (seconds < 0) return Unsupported(fmt::format("{} seconds cannot be negative", what));
  return std::optional<int64_t>(seconds * kNsPerSecond);
}

// The retention rules of a bucket's body, each an object; nothing where they are not given.
Result<std::optional<dom::array>> RulesOf(dom::element root) {
  dom::array rules;
  const auto given = root["retentionRules"];
  if (given.error() != simdjson::SUCCESS || given.is_null()) return std::optional<dom::array>();
  if (given.get(rules) != simdjson::SUCCESS) return InvalidArgument("\"retentionRules\" must be a list");
  if (rules.size() > 1) return Unsupported("buckets cannot have more than one retention rule at this time");
  for (const dom::element rule : rules) {
    if (!rule.is_object()) return InvalidArgument("a retention rule must be an object");
  }
  return std::optional(rules);
}

// One end of a deletion.
Result<model::Timestamp> TimeOf(dom::element root, std::string_view key) {
  std::string_view text;
  const bool given = root[key].get(text) == simdjson::SUCCESS;
  const auto at = given ? text::ParseRfc3339(text, text::Rfc3339Form::kGo) : std::nullopt;
  if (!at) {
    return InvalidArgument(
        fmt::format("invalid RFC3339Nano for field {}, please format your time with RFC3339Nano "
                    "format, example: 2009-01-02T23:00:00Z",
                    key));
  }
  // Times that no row can have stand for the first or the last that one can.
  int64_t ns = 0;
  if (__builtin_mul_overflow(at->seconds, kNsPerSecond, &ns) || __builtin_add_overflow(ns, int64_t{at->nanos}, &ns)) {
    return at->seconds < 0 ? model::Timestamp::Min() : model::Timestamp::Max();
  }
  return model::Timestamp{ns};
}

}  // namespace

std::string BucketId(std::string_view database) { return fmt::format("{:016x}", Hash64(database, 0)); }

void AppendBucketJson(std::string* out, const storage::DatabaseInfo& database) {
  const std::string id = BucketId(database.name);
  *out += fmt::format(R"({{"id":"{}","orgID":"{}","type":"user","name":)", id, kOrgId);
  AppendJsonString(out, database.name);
  *out += fmt::format(R"(,"retentionRules":[{{"type":"expire","everySeconds":{},"shardGroupDurationSeconds":{}}}],)"
                      R"("links":{{"self":"/api/v2/buckets/{}","org":"/api/v2/orgs/{}","write":)",
                      database.options.retention_ns / kNsPerSecond, database.options.partition_ns / kNsPerSecond, id,
                      kOrgId);
  AppendJsonString(out, fmt::format("/api/v2/write?org={}&bucket={}", kOrgId, text::QueryEscape(database.name)));
  *out += R"(},"labels":[]})";
}

void AppendOrgJson(std::string* out, std::string_view name) {
  *out +=
      fmt::format(R"({{"links":{{"self":"/api/v2/orgs/{}","buckets":"/api/v2/buckets?orgID={}"}},"id":"{}","name":)",
                  kOrgId, kOrgId, kOrgId);
  AppendJsonString(out, name);
  *out += '}';
}

Result<NewBucket> ParseNewBucket(std::string_view body) {
  dom::parser parser;
  TM_TRY_ASSIGN(const dom::element root, ParseBody(&parser, body));
  NewBucket out;
  std::string_view name;
  if (root["name"].get(name) != simdjson::SUCCESS) return InvalidArgument("\"name\" must be text");
  out.name = name;
  TM_TRY_ASSIGN(const std::optional<dom::array> rules, RulesOf(root));
  if (!rules) return out;
  // No rule is what InfluxDB writes for what is kept for ever.
  out.retention_ns = 0;
  for (const dom::element rule : *rules) {
    TM_TRY_ASSIGN(out.retention_ns, SecondsOf(rule, "everySeconds", "expiration"));
    TM_TRY_ASSIGN(out.partition_ns, SecondsOf(rule, "shardGroupDurationSeconds", "shard-group duration"));
  }
  return out;
}

Result<BucketChange> ParseBucketChange(std::string_view body) {
  dom::parser parser;
  TM_TRY_ASSIGN(const dom::element root, ParseBody(&parser, body));
  BucketChange out;
  if (const auto given = root["name"]; given.error() == simdjson::SUCCESS && !given.is_null()) {
    std::string_view name;
    if (given.get(name) != simdjson::SUCCESS) return InvalidArgument("\"name\" must be text");
    out.name = std::string(name);
  }
  TM_TRY_ASSIGN(const std::optional<dom::array> rules, RulesOf(root));
  if (!rules) return out;
  for (const dom::element rule : *rules) {
    TM_TRY_ASSIGN(out.retention_ns, SecondsOf(rule, "everySeconds", "expiration"));
    TM_TRY_ASSIGN(out.partition_ns, SecondsOf(rule, "shardGroupDurationSeconds", "shard-group duration"));
  }
  return out;
}

Result<BucketDeletion> ParseBucketDeletion(std::string_view body) {
  dom::parser parser;
  TM_TRY_ASSIGN(const dom::element root, ParseBody(&parser, body));
  BucketDeletion out;
  TM_TRY_ASSIGN(out.range.first, TimeOf(root, "start"));
  TM_TRY_ASSIGN(out.range.last, TimeOf(root, "stop"));
  std::string_view predicate;
  const auto given = root["predicate"];
  if (given.error() == simdjson::SUCCESS && !given.is_null() && given.get(predicate) != simdjson::SUCCESS) {
    return InvalidArgument("\"predicate\" must be text");
  }
  Result<query::influxql::Condition> condition = query::influxql::ParsePredicate(predicate);
  if (!condition.ok()) return InvalidArgument("invalid request; the predicate: " + condition.error().message);
  out.predicate = std::move(condition).value();
  return out;
}

}  // namespace tidemark::server
