// BatchService: POST /api/v1/query_batch: all questions of a page in one request, answered in the order in which they
// are ready.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "query/api/api.h"
#include "tools/server/batch/flights.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

struct BatchOptions {
  // The database that a question means when it names none, and the one that rules answer from.
  std::string default_database = "default";
  std::string rules_database = "default";
  // How long a batch may hold the thread of its request. One that takes longer goes on as a streamed reply.
  std::chrono::milliseconds hold{100};
};

// Thread-safe.
class BatchService {
 public:
  // `api` outlives it, and all replies.
  BatchService(const query::api::QueryApi* api, BatchOptions options) : api_(api), options_(std::move(options)) {}

  // A line of JSON for each question. The caller's right to read is asked for each of them.
  http::Response Answer(http::Request& request);

  // Questions that somebody else was asking at the same moment, since the start.
  [[nodiscard]] uint64_t shared() const { return flights_->shared(); }

 private:
  const query::api::QueryApi* const api_;
  const BatchOptions options_;
  // Streams may outlive the service by a moment.
  const std::shared_ptr<Flights> flights_ = std::make_shared<Flights>();
};

}  // namespace tidemark::server
