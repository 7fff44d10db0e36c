// Daemon: the whole server, put together: pool, store, write path, rules, listeners.
//
//   TM_TRY_ASSIGN(std::unique_ptr<Daemon> daemon, Daemon::Start(config, {.read_again = read_again}));
//   ... until a signal ...
//   TM_RETURN_IF_ERROR(daemon->Stop());
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
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
#include "storage/base/memory/budget.h"
#include "storage/base/memory/watch.h"
#include "storage/base/mutex.h"
#include "storage/storage.h"
#include "tools/server/access/access_service.h"
#include "tools/server/access/guard.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/admin/reload.h"
#include "tools/server/audit/audit_service.h"
#include "tools/server/backup/backup_schedule.h"
#include "tools/server/backup/backup_service.h"
#include "tools/server/batch/batch_service.h"
#include "tools/server/config/address.h"
#include "tools/server/config/config.h"
#include "tools/server/dashboard/saved_dashboards.h"
#include "tools/server/http/router.h"
#include "tools/server/http/server.h"
#include "tools/server/influx/bucket_service.h"
#include "tools/server/influx/influx_service.h"
#include "tools/server/influx/policy_book.h"
#include "tools/server/jobs/job_service.h"
#include "tools/server/lifecycle/restart_service.h"
#include "tools/server/notify/alertmanager_api.h"
#include "tools/server/notify/alertmanager_sender.h"
#include "tools/server/notify/notify_service.h"
#include "tools/server/quota/quota_service.h"
#include "tools/server/rules/backfill_api.h"
#include "tools/server/rules/backfills_as_jobs.h"
#include "tools/server/rules/rule_book.h"
#include "tools/server/rules/rules_api.h"
#include "tools/server/scrub/scrub_job.h"
#include "tools/server/watch/rule_runner.h"
#include "tools/server/watch/self_recorder.h"
#include "tools/server/watch/uptime_recorder.h"
#include "tools/server/watch/watchdog.h"
#include "tools/server/write/native_listener.h"
#include "tools/server/write/own_databases.h"
#include "tools/server/write/udp_listener.h"
#include "tools/server/write/write_id_book.h"
#include "tools/server/write/write_service.h"
#include "tools/service/handover.h"
#include "tools/tls/server_context.h"

namespace tidemark::server {

// What a daemon is started with beside its settings.
struct DaemonSurroundings {
  // Gives the settings as their sources have them when it is called, for Reload.
  std::function<Result<Config>()> read_again;
  // What listens already. The supervisor's sockets of a kind, plain or under TLS, take the place of the addresses of
  // that kind; those that a program before has left are used where the settings still want their addresses.
  service::Handover handover = {};
  // Who is asked for restarts; null: there are none. Outlives the daemon.
  Restarter* restarter = nullptr;
};

// Where people look for a dashboard; another program may have it.
inline constexpr uint16_t kDashboardPort = 3000;

// Start and Stop from one thread.
class Daemon {
 public:
  // Opens the store, then listens. Errors: those of the store; a bad rule file; no address that could be bound, or one
  // other than :3000 that could not; an address beyond loopback.
  static Result<std::unique_ptr<Daemon>> Start(const Config& config, DaemonSurroundings surroundings);
  // Stops if that has not been done, without a word about errors.
  ~Daemon();

  // In front of the paths of all requests, "" or "/tm".
  [[nodiscard]] const std::string& route_prefix() const { return address_.route_prefix; }
  // What was bound, in the order of the configuration.
  [[nodiscard]] const std::vector<http::Endpoint>& endpoints() const { return endpoints_; }
  [[nodiscard]] const std::vector<uint16_t>& udp_ports() const { return udp_ports_; }
  [[nodiscard]] const std::vector<uint16_t>& native_ports() const { return native_ports_; }
  [[nodiscard]] bool asks_for_tokens() const { return tokens_->on(); }

  // Reads the settings, the rule files, who is told of alerts, and the files of TLS again. On an error, which names
  // file, line and reason, nothing has changed. The log says the same. kUnavailable: the server ends. Any thread.
  Result<Reloaded> Reload() TM_EXCLUDES(reload_mutex_);
  [[nodiscard]] ReloadState reload_state() const TM_EXCLUDES(reload_state_mutex_);
  // Whether all loops of the server have come round within this time.
  [[nodiscard]] bool Lives(std::chrono::nanoseconds within) const;
  // Accepts no more, lets requests finish, takes a checkpoint as far as there is time, closes the store. Within
  // http.drain plus 10 s. Idempotent.
  Status Stop();
  // As Stop, for a program that takes the place of this one: what listens stays open, and so do connections between two
  // requests; no request is lost whose bytes have come. The checkpoint begins while it still serves.
  service::Handover Leave();
  // Writes to the audit log what a signal of this process asks for.
  void NoteSignal(std::string_view act, int32_t sender_pid, uint32_t sender_uid);
  // What a check of the settings of the next start cannot see.
  [[nodiscard]] StartFacts Facts() const;
  // Whether a start with these settings would succeed, as far as that can be seen without the store: addresses, rules,
  // receivers, certificates. Changes nothing. Errors: as of Start.
  static Status Check(const Config& config, const StartFacts& facts);

 private:
  Daemon(const Config& config, DaemonSurroundings surroundings);
  // Before the store and the listeners take any.
  void TakeOpenFiles();
  // Finds out how much memory there is, and lowers settings to that.
  void TakeMemory();
  // Tokens, sessions, and what may be listened on with them or without.
  Status OpenAccess();
  Status Open();
  Status OpenStore();
  // The way of points: from the protocols to the store.
  Status OpenWrites();
  // The query API and the rules.
  void OpenQueries();
  Status OpenNotify();
  // Takes what rules say of their alerts.
  void Tell(std::vector<query::notify::Alert> alerts);
  void StartWatchdog();
  void OpenBackfills();
  // Administration, backups, the scrub, and the long work among them.
  void OpenAdmin();
  [[nodiscard]] StatusFacts LookAtStatus() const;
  [[nodiscard]] WatchdogFacts LookAtTelling() const;
  static Result<query::notify::Config> ReadNotifyConfig(const Config& config);
  Status Listen();
  // The addresses for native batches over TCP.
  Status ListenNative();
  Status OpenTls();
  static Status CheckTlsFiles(const Config& config);
  Status ListenUdp();
  // Takes the socket that was kept for this address of the settings; -1: there is none.
  int TakeKept(std::string_view kind, std::string_view wanted);
  // The same, or else the socket of the supervisor that has this address.
  Result<int> TakeInherited(std::string_view kind, const std::string& listen);
  // kInvalidArgument when the supervisor listens on an address of this kind that no setting names.
  [[nodiscard]] Status RefuseNotNamed(std::string_view kind) const;
  // What was kept and is wanted no more.
  void CloseKept();
  // Goes on with the connections that were kept.
  void Resume();
  // All of a stop. `left` gets what stays open; null: nothing does.
  Status End(service::Handover* left);
  // The machine, when no server was up, and what the server knows of itself.
  void StartRecorders();
  [[nodiscard]] SelfFigures LookAtSelf() const;
  [[nodiscard]] std::string Metrics() const;
  // Binds the addresses of HTTP, plain and encrypted, and takes the sockets that listen already.
  Status Bind();
  // Kinds of inherited sockets.
  static constexpr std::string_view kPlain = "http";
  static constexpr std::string_view kEncrypted = "https";
  // From the supervisor.
  [[nodiscard]] bool Inherits(std::string_view kind) const;
  struct LoadedRules {
    std::vector<query::rules::Group> groups;
    size_t rules = 0;
  };
  // Reads the rule files; nothing of them is in force yet.
  static Result<LoadedRules> ReadRules(const Config& config);
  Result<Reloaded> ReloadAll() TM_REQUIRES(reload_mutex_);
  // Hands the limits among the settings to who keeps them.
  void TakeLimits() TM_REQUIRES(reload_mutex_);
  void SetReloadState(const ReloadState& state) TM_REQUIRES(reload_mutex_);
  static query::api::QueryApi::Shown ShownSettingsOf(Config config, const ReloadState& state);
  // Puts in force what comes from files, if `files` is not null other ones than before, and what the book holds.
  void ApplyRules(std::vector<query::rules::Group>* files);
  // Whether rules in force come from a file of this name.
  [[nodiscard]] bool IsRuleFile(std::string_view name) const;

  Config config_;  // as the start has made use of it
  Address address_;
  DaemonSurroundings surroundings_;  // of the handover, what was not taken yet
  // What listens, in the order of the server's listeners, as it is to be left.
  std::vector<service::InheritedSocket> listening_;
  Mutex reload_mutex_;                            // one reload at a time
  Config settings_ TM_GUARDED_BY(reload_mutex_);  // those that are in force, as they were given
  bool stopping_ TM_GUARDED_BY(reload_mutex_) = false;
  mutable Mutex reload_state_mutex_;  // under reload_mutex_ where both are held
  ReloadState reload_state_ TM_GUARDED_BY(reload_state_mutex_);
  memory::Budget memory_;  // outlives the store and its views
  std::unique_ptr<memory::Watch> memory_watch_;
  query::run::MemoryTotal query_memory_;
  const double start_seconds_;
  const int64_t start_steady_ns_ = SystemClock::Get().SteadyNs();
  std::unique_ptr<executor::ThreadPool> pool_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<OwnDatabases> own_databases_;
  std::unique_ptr<write_path::WritePath> write_path_;
  std::unique_ptr<query::api::EventTap> events_;
  query::api::MetadataBook metadata_;
  std::unique_ptr<quota::QuotaBook> quotas_;
  std::unique_ptr<PolicyBook> policies_;
  std::unique_ptr<WriteIdBook> write_ids_;
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
  std::unique_ptr<BackfillJobs> backfills_;
  std::unique_ptr<BackfillApi> backfill_api_;
  std::unique_ptr<query::api::QueryApi> api_;
  std::unique_ptr<BatchService> batches_;
  std::unique_ptr<InfluxService> influx_;
  std::unique_ptr<BucketService> buckets_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<backup::BackupMaker> backup_maker_;
  std::unique_ptr<backup::BackupService> backups_;
  std::unique_ptr<RestartService> restarts_;
  std::unique_ptr<backup::BackupSchedule> backup_schedule_;
  std::unique_ptr<Scrubber> scrubber_;
  std::unique_ptr<jobs::JobBook> job_book_;
  std::unique_ptr<jobs::JobService> jobs_;
  std::unique_ptr<SavedDashboards> dashboards_;
  std::unique_ptr<access::TokenBook> tokens_;
  std::unique_ptr<access::SessionBook> sessions_;
  std::unique_ptr<access::Guard> guard_;
  std::unique_ptr<access::AccessService> access_;
  std::unique_ptr<quota::QuotaService> quota_service_;
  std::unique_ptr<audit::Auditor> auditor_;
  std::unique_ptr<audit::AuditService> audit_;
  std::shared_ptr<tls::ServerContext> tls_;  // null: no listener is under TLS
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::unique_ptr<UdpListener>> udp_;
  std::vector<std::unique_ptr<NativeListener>> native_;
  std::atomic<bool> alerts_lost_ = false;  // the last of rules could not be stored
  std::unique_ptr<Watchdog> watchdog_;     // null: nothing is called
  std::unique_ptr<RuleRunner> rule_runner_;
  std::unique_ptr<executor::HostReporter> host_;
  std::unique_ptr<UptimeRecorder> uptime_;
  std::unique_ptr<SelfRecorder> self_;
  std::vector<http::Endpoint> endpoints_;
  std::vector<uint16_t> udp_ports_;
  std::vector<uint16_t> native_ports_;
  bool stopped_ = false;
};

}  // namespace tidemark::server
