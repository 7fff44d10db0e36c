// AdminService: what an operator asks of a running server: retention, deletions, names, checkpoint. Long work
// is that of tools/server/jobs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "ingest/write_path/rejection_log.h"
#include "storage/storage.h"
#include "tools/admin/act_handlers.h"
#include "tools/server/admin/reload.h"
#include "tools/server/admin/status_facts.h"
#include "tools/server/http/message.h"

namespace tidemark::server {

// Thread-safe. Answers in the envelope of the Prometheus API; what a reply holds is in the rows of tools/admin/acts.cc.
class AdminService {
 public:
  // Store and rejections outlive it.
  AdminService(storage::Store* store, const write_path::RejectionLog* rejections, Reload reload)
      : store_(store), rejections_(rejections), reload_(std::move(reload)) {}

  // Of a database, which answers name; 0: they do not. Before the first request.
  void SetSeriesLimit(uint64_t series) { series_limit_ = series; }

  // What the act "status" tells beside what the store knows. Before the first request.
  void SetFacts(std::function<StatusFacts()> facts) { facts_ = std::move(facts); }
  // Renames a database together with all that the server keeps under its name, in one act; without it the store alone
  // is asked. Before the first request.
  void SetRename(std::function<Status(const std::string& from, const std::string& to)> rename) {
    rename_ = std::move(rename);
  }

  // The acts that it does: rows of admin::Acts() with a method.
  static admin::ActHandlers<AdminService> Handlers();

 private:
  // keep=30d (0 or inf: for ever) of the database, or with match[]=SELECTOR of some of its series (inf takes the
  // selector away); max_bytes=50GiB (0: no limit). dry_run=1 says what would go.
  http::Response SetRetention(http::Request& request) const;
  http::Response ShowRetention(http::Request& request) const;
  // tier=5m:90d&tier=1h:5y: exactly these tiers; tier=none: none.
  http::Response SetRollup(http::Request& request) const;
  // match[]=SELECTOR[&start&end&field][&dry_run=1]: says how much.
  http::Response SetTypes(http::Request& request) const;
  http::Response ShowTypes(http::Request& request) const;
  http::Response Delete(http::Request& request) const;
  // match[]=SELECTOR[&start&end], as in Prometheus.
  http::Response DeleteSeries(http::Request& request) const;
  http::Response CleanTombstones(http::Request& request) const;
  http::Response ShowDatabases(http::Request& request) const;
  // limit=100[&db=NAME]: the points that were refused last, the newest first.
  http::Response ShowRejections(http::Request& request) const;
  // How the server is: one look for whoever comes to it.
  http::Response ShowStatus(http::Request& request) const;
  // from, to. Says which documents still name it as it was called.
  http::Response RenameDatabase(http::Request& request) const;
  // [measurement][&field]: the fields, with their types.
  http::Response ShowFields(http::Request& request) const;
  http::Response ShowPartitions(http::Request& request) const;
  // measurement, field[&dry_run=1]: deletes its points, so that the name may come back with any type.
  http::Response DropField(http::Request& request) const;
  http::Response Checkpoint(http::Request& request) const;
  http::Response ReloadSettings(http::Request& request) const;
  http::Response ShowClock(http::Request& request) const;
  http::Response AcceptClock(http::Request& request) const;
  // The body: lines of /api/v1/rows.
  http::Response Import(http::Request& request) const;
  // limit=10[&source=LABEL]: what has most series.
  http::Response ShowCardinality(http::Request& request) const;

  storage::Store* const store_;
  const write_path::RejectionLog* const rejections_;
  const Reload reload_;
  uint64_t series_limit_ = 0;
  std::function<StatusFacts()> facts_ = [] { return StatusFacts(); };
  std::function<Status(const std::string& from, const std::string& to)> rename_ =
      [this](const std::string& from, const std::string& to) -> Status { return store_->RenameDatabase(from, to); };
};

}  // namespace tidemark::server
