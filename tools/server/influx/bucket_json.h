// The bodies of InfluxDB 2's requests about buckets, and what they are answered with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "query/influxql/statement.h"
#include "storage/base/result.h"
#include "storage/model/timestamp.h"
#include "storage/storage.h"

namespace tidemark::server {

// 16 hexadecimal digits, which is what ids of InfluxDB 2 are. There is one organization; it goes by any name.
inline constexpr std::string_view kOrgId = "7469646d61726b21";
inline constexpr std::string_view kOrgName = "tidemark";
// A bucket is a database, and its id follows from its name: it outlives a restart, and a database that is dropped and
// made again has the one that it had.
std::string BucketId(std::string_view database);

// {"id":...,"orgID":...,"type":"user","name":...,"retentionRules":[...],"links":...,"labels":[]}
void AppendBucketJson(std::string* out, const storage::DatabaseInfo& database);
// {"links":...,"id":...,"name":...}
void AppendOrgJson(std::string* out, std::string_view name);

// The body of POST /api/v2/buckets.
struct NewBucket {
  std::string name;
  // Absent where no rule says it: what a new database gets. 0: for ever.
  std::optional<int64_t> retention_ns;
  std::optional<int64_t> partition_ns;
};
// kInvalidArgument for what is no JSON or has no name, kUnsupported for rules that no bucket can have.
Result<NewBucket> ParseNewBucket(std::string_view body);

// The body of PATCH /api/v2/buckets/ID. What clients send back of a bucket that they were given is taken as well.
struct BucketChange {
  std::optional<std::string> name;
  // Absent: stays as it is, also for a list without a rule, as in InfluxDB. 0: for ever.
  std::optional<int64_t> retention_ns;
  std::optional<int64_t> partition_ns;
};
// As ParseNewBucket, without the need for a name.
Result<BucketChange> ParseBucketChange(std::string_view body);

// The body of POST /api/v2/delete: both ends count to the range, as in InfluxDB.
struct BucketDeletion {
  model::TimeRange range;
  query::influxql::Condition predicate;  // with _measurement and _field as names
};
Result<BucketDeletion> ParseBucketDeletion(std::string_view body);

}  // namespace tidemark::server
