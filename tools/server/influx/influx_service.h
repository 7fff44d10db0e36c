// InfluxService: what 1.x and 2.x clients ask besides writing: /ping, /health and the statements of /query that
// create, drop and list.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "query/influxql/statement.h"
#include "query/names/names_watch.h"
#include "storage/base/clock.h"
#include "storage/storage.h"
#include "tools/server/http/message.h"
#include "tools/server/influx/policy_book.h"

namespace tidemark::server {

// Thread-safe.
class InfluxService {
 public:
  // Statements of one request. Each may look at the whole store.
  static constexpr size_t kStatementsMax = 1000;
  // Bytes of a reply to one request, which may hold many statements.
  static constexpr size_t kReplyBytesMax = size_t{32} << 20;

  // What a SHOW statement is held to while it looks at a view.
  using OpenWatch = std::function<std::unique_ptr<query::names::NamesWatch>(const http::Request&,
                                                                            std::shared_ptr<const storage::View>)>;

  // When statements that begin now and only read have to be answered, on SystemClock::SteadyNs.
  using DeadlineOf = std::function<int64_t()>;

  // `store`, `policies` and `clock` outlive it. `version` is Tidemark's own; new databases get `defaults`. Without
  // `open_watch` nothing bounds what is listed, without `deadline_of` how long it takes.
  InfluxService(storage::Store* store, PolicyBook* policies, const Clock* clock, storage::DatabaseOptions defaults,
                std::string version, OpenWatch open_watch = {}, DeadlineOf deadline_of = {});

  http::Response Ping(http::Request& request) const;
  http::Response Health(http::Request& request) const;
  // As 2.x: since when and for how long it is up.
  http::Response Ready() const;
  // POST: all statements. GET: those that read; others only where no page of another origin can have sent them.
  http::Response Query(http::Request& request) const;

 private:
  // A statement's `"series":[...]`, "" for nothing to show; an Error's message is the statement's.
  [[nodiscard]] Result<std::string> Run(const query::influxql::Statement& statement, const std::string& database,
                                        const http::Request& request) const;

  [[nodiscard]] Result<storage::DatabaseOptions> OptionsOf(std::string_view database) const;
  [[nodiscard]] Result<std::string> Create(const query::influxql::CreateDatabase& create,
                                           const http::Caller& caller) const;
  [[nodiscard]] Result<std::string> Drop(const std::string& database, const http::Caller& caller) const;
  [[nodiscard]] Result<std::string> ChangePolicy(const query::influxql::ChangeRetentionPolicy& change,
                                                 const http::Caller& caller) const;
  [[nodiscard]] Result<std::string> DeleteFrom(const storage::View& view, const std::string& database,
                                               const query::influxql::Delete& drop,
                                               const storage::SeriesFilter& held) const;
  static bool MayChangeByGet(const http::Request& request);

  storage::Store* const store_;
  PolicyBook* const policies_;
  const Clock* const clock_;
  const int64_t started_ns_;
  const int64_t started_steady_ns_;
  const storage::DatabaseOptions defaults_;
  const std::string version_;
  const OpenWatch open_watch_;
  const DeadlineOf deadline_of_;
};

}  // namespace tidemark::server
