// InfluxService: what 1.x and 2.x clients ask besides writing: /ping, /health and the statements of /query that
// create, drop and list.
#pragma once

#include <string>

#include "query/influxql/statement.h"
#include "storage/storage.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Thread-safe.
class InfluxService {
 public:
  // Statements of one request. Each may look at the whole store.
  static constexpr size_t kStatementsMax = 1000;
  // Bytes of a reply to one request, which may hold many statements.
  static constexpr size_t kReplyBytesMax = size_t{32} << 20;

  // `store` outlives it. `version` is Tidemark's own; new databases get `defaults`.
  InfluxService(storage::Store* store, storage::DatabaseOptions defaults, std::string version);

  http::Response Ping(http::Request& request) const;
  http::Response Health(http::Request& request) const;
  // GET: statements that read; POST: all.
  http::Response Query(http::Request& request) const;

 private:
  // A statement's `"series":[...]`, "" for nothing to show; an Error's message is the statement's.
  [[nodiscard]] Result<std::string> Run(const query::influxql::Statement& statement, const std::string& database,
                                        const http::Caller& caller) const;

  storage::Store* const store_;
  const storage::DatabaseOptions defaults_;
  const std::string version_;
};

}  // namespace tidemark::server
