// AdminService: what an operator asks of a running server: retention, compaction, checkpoint.
#pragma once

#include "storage/storage.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Thread-safe. Answers in the envelope of the Prometheus API.
class AdminService {
 public:
  // `store` outlives it.
  explicit AdminService(storage::Store* store) : store_(store) {}

  // POST /api/v1/admin/retention?db=NAME&keep=30d (0 or inf: for ever); GET shows all databases.
  http::Response SetRetention(http::Request& request) const;
  http::Response ShowDatabases(http::Request& request) const;
  // POST /api/v1/admin/compact?db=NAME: one JSON object a line, the last with "done":true or "error".
  http::Response Compact(http::Request& request) const;
  // POST /api/v1/admin/checkpoint
  http::Response Checkpoint(http::Request& request) const;

 private:
  storage::Store* const store_;
};

}  // namespace tidemark::server
