// EmbeddedStore: a data directory that this process opens itself, to report to and to ask, without a server.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "executor/pool/thread_pool.h"
#include "query/api/api.h"
#include "storage/storage.h"
#include "tools/cli/exec/api_source.h"

namespace tidemark::cli {

// Thread-safe but for Close and destruction. It has two threads of its own, for work in the background.
class EmbeddedStore final : public ApiSource {
 public:
  // Creates the directory when it is missing. Errors: those of storage::Store::Open, among them kUnavailable when
  // another process has it open, as a server does.
  static Result<std::unique_ptr<EmbeddedStore>> Open(const std::string& directory);
  // Close.
  ~EmbeddedStore() override;
  EmbeddedStore(const EmbeddedStore&) = delete;
  EmbeddedStore& operator=(const EmbeddedStore&) = delete;

  // On disk when Write returns.
  [[nodiscard]] model::PointSink& sink() { return *store_; }

  // /api/v1/query, query_range and events; 404 for another path. Queries run on the calling thread.
  Result<ApiAnswer> Ask(std::string_view path, const ApiParameters& parameters) override;

  // Takes a checkpoint, so that whoever opens the directory next has nothing to replay. Idempotent.
  Result<void> Close();

 private:
  EmbeddedStore() = default;

  std::unique_ptr<executor::ThreadPool> pool_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<query::api::QueryApi> api_;
};

}  // namespace tidemark::cli
