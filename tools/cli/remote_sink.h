// RemoteSink: a PointSink that sends batches to another server's /write as line protocol.
#pragma once

#include <memory>
#include <string>

#include "storage/base/mutex.h"
#include "storage/model/point_sink.h"
#include "tools/cli/http_client.h"

namespace tidemark::cli {

// Thread-safe: one request at a time.
class RemoteSink final : public model::PointSink {
 public:
  explicit RemoteSink(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

  // Errors: those of HttpClient::Send; kResourceExhausted for 429 and 503; kInvalidArgument for another refusal, with
  // the server's words.
  Result<model::WriteReport> Write(std::string_view database, const model::Batch& batch) override;

 private:
  Mutex mutex_;
  std::unique_ptr<HttpClient> client_ TM_PT_GUARDED_BY(mutex_);
};

}  // namespace tidemark::cli
