// Daemon: the whole server, put together: pool, store, write path, rules, listeners.
//
//   TM_TRY_ASSIGN(std::unique_ptr<Daemon> daemon, Daemon::Start(config));
//   ... until a signal ...
//   TM_RETURN_IF_ERROR(daemon->Stop());
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "executor/pool/thread_pool.h"
#include "executor/telemetry/host_reporter.h"
#include "ingest/write_path/write_path.h"
#include "query/api/api.h"
#include "query/api/event_tap.h"
#include "query/notify/notifier.h"
#include "query/rules/manager.h"
#include "storage/base/mutex.h"
#include "storage/storage.h"
#include "tools/server/access/access_service.h"
#include "tools/server/access/guard.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/audit/audit_service.h"
#include "tools/server/batch/batch_service.h"
#include "tools/server/config/config.h"
#include "tools/server/dashboard/saved_dashboards.h"
#include "tools/server/http/router.h"
#include "tools/server/http/server.h"
#include "tools/server/influx/influx_service.h"
#include "tools/server/notify/alertmanager_api.h"
#include "tools/server/notify/alertmanager_sender.h"
#include "tools/server/notify/notify_service.h"
#include "tools/server/rules/rule_book.h"
#include "tools/server/rules/rules_api.h"
#include "tools/server/watch/rule_runner.h"
#include "tools/server/watch/self_recorder.h"
#include "tools/server/watch/uptime_recorder.h"
#include "tools/server/write/udp_listener.h"
#include "tools/server/write/write_service.h"
#include "tools/tls/server_context.h"

namespace tidemark::server {

// Start and Stop from one thread.
class Daemon {
 public:
  // Opens the store, then listens. Errors: those of the store; a bad rule file; no address that could be bound, or one
  // other than :3000 that could not; an address beyond loopback.
  static Result<std::unique_ptr<Daemon>> Start(const Config& config);
  // Stops if that has not been done, without a word about errors.
  ~Daemon();

  // What was bound, in the order of the configuration.
  [[nodiscard]] const std::vector<http::Endpoint>& endpoints() const { return endpoints_; }
  [[nodiscard]] const std::vector<uint16_t>& udp_ports() const { return udp_ports_; }
  [[nodiscard]] bool asks_for_tokens() const { return tokens_->on(); }

  // Reads the rule files, who is told of alerts, and the files of TLS again. On an error, which names file, line and
  // reason, nothing has
  // changed. Returns the number of rules that are in force.
  Result<size_t> Reload();
  // Accepts no more, lets requests finish, takes a checkpoint, closes the store. Idempotent.
  Status Stop();

 private:
  explicit Daemon(const Config& config);
  // Before the store and the listeners take any.
  void TakeOpenFiles();
  // Tokens, sessions, and what may be listened on with them or without.
  Status OpenAccess();
  Status Open();
  Status OpenNotify();
  // Takes what rules say of their alerts.
  void Tell(std::vector<query::notify::Alert> alerts);
  [[nodiscard]] Result<query::notify::Config> ReadNotifyConfig() const;
  Status Listen();
  Status OpenTls();
  // The machine, when no server was up, and what the server knows of itself.
  void StartRecorders();
  [[nodiscard]] SelfFigures LookAtSelf() const;
  // Binds the addresses of HTTP, plain and encrypted.
  Status Bind();
  struct LoadedRules {
    std::vector<query::rules::Group> groups;
    size_t rules = 0;
  };
  // Reads the rule files; nothing of them is in force yet.
  [[nodiscard]] Result<LoadedRules> ReadRules() const;
  // Puts in force what comes from files, if `files` is not null other ones than before, and what the book holds.
  void ApplyRules(std::vector<query::rules::Group>* files);
  // Whether rules in force come from a file of this name.
  [[nodiscard]] bool IsRuleFile(std::string_view name) const;

  Config config_;
  query::run::MemoryTotal query_memory_;
  const double start_seconds_;
  std::unique_ptr<executor::ThreadPool> pool_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<write_path::WritePath> write_path_;
  std::unique_ptr<query::api::EventTap> events_;
  query::api::MetadataBook metadata_;
  std::unique_ptr<WriteService> writes_;
  std::unique_ptr<notify::NotifyService> notify_;
  std::unique_ptr<notify::AlertmanagerApi> alertmanager_;
  notify::AlertmanagerSenders senders_{&SystemClock::Get()};
  std::unique_ptr<query::rules::Manager> rules_;
  // One change of the rules in force at a time.
  mutable Mutex rules_mutex_;
  std::vector<query::rules::Group> file_rules_ TM_GUARDED_BY(rules_mutex_);
  std::unique_ptr<RuleBook> rule_book_;
  std::unique_ptr<RulesApi> rules_api_;
  std::unique_ptr<query::api::QueryApi> api_;
  std::unique_ptr<BatchService> batches_;
  std::unique_ptr<InfluxService> influx_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<SavedDashboards> dashboards_;
  std::unique_ptr<access::TokenBook> tokens_;
  std::unique_ptr<access::SessionBook> sessions_;
  std::unique_ptr<access::Guard> guard_;
  std::unique_ptr<access::AccessService> access_;
  std::unique_ptr<audit::Auditor> auditor_;
  std::unique_ptr<audit::AuditService> audit_;
  std::shared_ptr<tls::ServerContext> tls_;  // null: no listener is under TLS
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::unique_ptr<UdpListener>> udp_;
  std::unique_ptr<RuleRunner> rule_runner_;
  std::unique_ptr<executor::HostReporter> host_;
  std::unique_ptr<UptimeRecorder> uptime_;
  std::unique_ptr<SelfRecorder> self_;
  std::vector<http::Endpoint> endpoints_;
  std::vector<uint16_t> udp_ports_;
  bool stopped_ = false;
};

}  // namespace tidemark::server
