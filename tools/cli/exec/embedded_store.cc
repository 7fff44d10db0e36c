#include "tools/cli/exec/embedded_store.h"

#include <fmt/core.h>

#include "query/engine/engine.h"

namespace tidemark::cli {
namespace {

// A run writes a few megabytes an hour: it needs none of a server's room.
constexpr uint64_t kCacheBytes = uint64_t{32} << 20;
constexpr uint64_t kSegmentBytes = uint64_t{16} << 20;
constexpr size_t kWorkers = 2;

}  // namespace

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::Open(const std::string& directory) {
  std::unique_ptr<EmbeddedStore> opened(new EmbeddedStore());
  opened->pool_ = std::make_unique<executor::ThreadPool>(executor::PoolOptions{.workers = kWorkers});
  storage::StoreOptions options;
  options.directory = directory;
  options.scheduler = opened->pool_.get();
  options.cache_bytes = kCacheBytes;
  options.journal_segment_bytes = kSegmentBytes;
  TM_TRY_ASSIGN(opened->store_, storage::Store::Open(std::move(options)));
  opened->api_ = std::make_unique<query::api::QueryApi>(query::api::ApiDependencies{
      .store = opened->store_.get(),
      .scheduler = nullptr,
      .clock = nullptr,
      .rules = nullptr,
      .execute = &query::engine::Execute,
      .metadata = nullptr,
  });
  return opened;
}

EmbeddedStore::~EmbeddedStore() { static_cast<void>(Close()); }

Result<ApiAnswer> EmbeddedStore::Ask(std::string_view path, const ApiParameters& parameters) {
  if (!store_) return MakeError(ErrorCode::kUnavailable, "the store has been closed");
  text::Params params;
  for (const auto& [name, value] : parameters) params.Add(name, value);
  const query::api::ApiRequest request{
      .params = params, .database = {}, .filter = storage::SeriesFilter::Everything(), .stop = {}};
  query::api::Reply reply;
  if (path == "/api/v1/query") {
    reply = api_->Query(request);
  } else if (path == "/api/v1/query_range") {
    reply = api_->QueryRange(request);
  } else if (path == "/api/v1/events") {
    reply = api_->Events(request);
  } else {
    return ApiAnswer{404, fmt::format("{} is not answered here", path)};
  }
  ApiAnswer answer{reply.status, std::move(reply.body)};
  if (reply.rest) {
    reply.rest([&answer](const std::string& piece) {
      answer.body += piece;
      return true;
    });
  }
  return answer;
}

Result<void> EmbeddedStore::Close() {
  if (!store_) return {};
  api_.reset();
  const Result<void> closed = store_->Close();
  store_.reset();
  pool_->Stop();
  return closed;
}

}  // namespace tidemark::cli
