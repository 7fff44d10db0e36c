// AdminService: what an operator asks of a running server: retention, compaction, checkpoint.
#pragma once

#include "ingest/write_path/rejection_log.h"
#include "storage/storage.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Thread-safe. Answers in the envelope of the Prometheus API.
class AdminService {
 public:
  // Both outlive it.
  AdminService(storage::Store* store, const write_path::RejectionLog* rejections)
      : store_(store), rejections_(rejections) {}

  // POST /api/v1/admin/retention?db=NAME: keep=30d (0 or inf: for ever) of the database, or with match[]=SELECTOR of
  // some of its series (inf takes the selector away); max_bytes=50GiB (0: no limit). dry_run=1 says what would go.
  http::Response SetRetention(http::Request& request) const;
  // GET /api/v1/admin/retention?db=NAME
  http::Response ShowRetention(http::Request& request) const;
  // POST /api/v1/admin/rollup?db=NAME&tier=5m:90d&tier=1h:5y: exactly these tiers; tier=none: none.
  http::Response SetRollup(http::Request& request) const;
  // POST /api/v1/admin/delete?db=NAME&match[]=SELECTOR[&start&end&field][&dry_run=1]: says how much.
  http::Response Delete(http::Request& request) const;
  // POST, PUT /api/v1/admin/tsdb/delete_series?match[]=SELECTOR[&start&end] and clean_tombstones, as in Prometheus.
  http::Response DeleteSeries(http::Request& request) const;
  http::Response CleanTombstones(http::Request& request) const;
  // GET /api/v1/admin/databases
  http::Response ShowDatabases(http::Request& request) const;
  // GET /api/v1/admin/rejections?limit=100[&db=NAME]: the points that were refused last, the newest first.
  http::Response ShowRejections(http::Request& request) const;
  // POST /api/v1/admin/compact?db=NAME: one JSON object a line, the last with "done":true or "error".
  http::Response Compact(http::Request& request) const;
  // POST /api/v1/admin/checkpoint
  http::Response Checkpoint(http::Request& request) const;

 private:
  storage::Store* const store_;
  const write_path::RejectionLog* const rejections_;
};

}  // namespace tidemark::server
