// BucketService: InfluxDB 2's API of buckets, organizations and deletions, for what exists here: a bucket is a
// database, and there is one organization, which goes by any name and has everything.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "storage/storage.h"
#include "tools/server/http/message.h"
#include "tools/server/influx/policy_book.h"

namespace tidemark::server {

// Thread-safe. Errors come in the words of InfluxDB 2: {"code":"not found","message":"bucket \"x\" not found"}.
class BucketService {
 public:
  // Buckets of one page, when it is not said and at most.
  static constexpr uint64_t kPageSize = 20;
  static constexpr uint64_t kPageSizeMax = 100;

  // `store` and `policies` outlive it. New databases get `defaults`.
  BucketService(storage::Store* store, PolicyBook* policies, storage::DatabaseOptions defaults)
      : store_(store), policies_(policies), defaults_(std::move(defaults)) {}

  // Those that the caller may read or write, by name: `name`, `id`, `limit`, `offset`, `after`, `descending`.
  http::Response List(const http::Request& request) const;
  // By its id.
  http::Response Get(const http::Request& request, std::string_view id) const;
  // 201; 422 where there is one of the name.
  http::Response Create(http::Request& request) const;
  // 200 and the bucket with the retention and length of partitions that the body says; 422 for another name.
  http::Response Change(http::Request& request, std::string_view id) const;
  // 204, its data are gone.
  http::Response Remove(http::Request& request, std::string_view id) const;
  // `org`, `orgID`.
  http::Response Orgs(const http::Request& request) const;
  http::Response Org(std::string_view id) const;
  // 204: the points of `bucket` (or `bucketID`) from start to stop that satisfy the predicate are gone.
  http::Response Delete(http::Request& request) const;

 private:
  // kNotFound also where the caller may know nothing of it; kConflict where the id is that of two.
  [[nodiscard]] Result<storage::DatabaseInfo> ById(const http::Caller& caller, std::string_view id) const;
  // As ById.
  [[nodiscard]] Result<std::string> DatabaseOf(const http::Request& request) const;

  storage::Store* const store_;
  PolicyBook* const policies_;
  const storage::DatabaseOptions defaults_;
};

}  // namespace tidemark::server
