#include "tools/server/daemon.h"

#include <fmt/core.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <utility>

#include "query/engine/engine.h"
#include "query/rules/alert_update.h"
#include "storage/backup.h"
#include "storage/base/background.h"
#include "storage/base/log.h"
#include "tools/server/backup/backup_job.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/routes/filtered_routes.h"
#include "tools/server/routes/notify_routes.h"
#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/query_gate.h"
#include "tools/server/routes/routes.h"
#include "tools/server/routes/rule_routes.h"
#include "tools/server/watch/self_alerts.h"
#include "tools/server/watch/told_before.h"

namespace tidemark::server {
namespace {

// What rules read and write.
std::string RulesDatabase(const Config& config) {
  return std::string(config.rules.database.empty() ? storage::kDefaultDatabase : config.rules.database);
}

}  // namespace

Daemon::Daemon(const Config& config, DaemonSurroundings surroundings)
    : config_(config),
      surroundings_(std::move(surroundings)),
      settings_(config),
      query_memory_(config.api.total_memory_bytes),
      start_seconds_(static_cast<double>(SystemClock::Get().NowNs()) * 1e-9) {
  reload_state_.good_seconds = start_seconds_;
}

Daemon::~Daemon() { static_cast<void>(Stop()); }

Result<std::unique_ptr<Daemon>> Daemon::Start(const Config& config, DaemonSurroundings surroundings) {
  std::unique_ptr<Daemon> daemon(new Daemon(config, std::move(surroundings)));
  TM_TRY_ASSIGN(daemon->address_, AddressOf(config));
  TM_RETURN_IF_ERROR(daemon->Open());
  TM_RETURN_IF_ERROR(daemon->OpenTls());
  TM_TRY_ASSIGN(LoadedRules loaded, ReadRules(config));
  daemon->ApplyRules(&loaded.groups);
  TM_RETURN_IF_ERROR(daemon->Listen());
  return daemon;
}

Status Daemon::Open() {
  TM_RETURN_IF_ERROR(backup::BackupMaker::Check(config_.backup, config_.data));
  TakeOpenFiles();
  TakeMemory();
  pool_ = std::make_unique<executor::ThreadPool>(executor::PoolOptions{.workers = config_.pool_workers});
  TM_RETURN_IF_ERROR(OpenStore());
  TM_RETURN_IF_ERROR(OpenAccess());
  TM_RETURN_IF_ERROR(OpenWrites());
  TM_RETURN_IF_ERROR(OpenNotify());
  OpenQueries();
  batches_ = std::make_unique<BatchService>(api_.get(),
                                            BatchOptions{.default_database = std::string(storage::kDefaultDatabase),
                                                         .rules_database = RulesDatabase(config_)});
  influx_ = std::make_unique<InfluxService>(
      store_.get(), policies_.get(), &SystemClock::Get(), config_.store.new_database, config_.api.version,
      [api = api_.get()](const http::Request& request, std::shared_ptr<const storage::View> view) {
        return api->WatchNames(ToApi(request), std::move(view));
      },
      [api = api_.get()] { return api->DeadlineNs(); });
  buckets_ = std::make_unique<BucketService>(store_.get(), policies_.get(), config_.store.new_database);
  dashboards_ = std::make_unique<SavedDashboards>(store_->Documents());
  OpenAdmin();
  return {};
}

void Daemon::OpenAdmin() {
  admin_ = std::make_unique<AdminService>(store_.get(), &write_path_->rejections(), [this] { return Reload(); });
  admin_->SetSeriesLimit(config_.store.max_series_per_database);
  backup_maker_ = std::make_unique<backup::BackupMaker>(store_.get(), &SystemClock::Get(), config_.backup);
  restarts_ = std::make_unique<RestartService>(
      surroundings_.restarter, [this] { return Facts(); }, config_.api.version,
      static_cast<int64_t>(start_seconds_ * 1e9));
  backups_ = std::make_unique<backup::BackupService>(backup_maker_.get());
  scrubber_ = std::make_unique<Scrubber>(store_.get(), &SystemClock::Get(), config_.scrub);
  const auto has_room = [data = config_.data] {
    constexpr uint64_t kLeastBytes = uint64_t{1} << 20;
    struct statvfs disk{};
    if (::statvfs(data.c_str(), &disk) != 0) return true;
    return disk.f_bavail * disk.f_frsize >= kLeastBytes && (disk.f_files == 0 || disk.f_favail > 0);
  };
  job_book_ = std::make_unique<jobs::JobBook>(
      store_->Documents(), &SystemClock::Get(),
      std::vector<jobs::JobKind>{jobs::CompactKind(store_.get(), has_room), jobs::VerifyKind(store_.get()),
                                 backup::BackupKind(backup_maker_.get())},
      storage::StoreIdIn(config_.data).value_or(""));
  job_book_->SetRoom(has_room);
  jobs_ = std::make_unique<jobs::JobService>(store_.get(), job_book_.get());
  jobs_->Add(ScrubAsJob(store_.get(), scrubber_.get()));
  jobs_->Add(BackfillsAsJobs(backfills_.get()));
  admin_->SetFacts([this] { return LookAtStatus(); });
  admin_->SetRename([this](const std::string& from, const std::string& to) {
    // One commit: after a crash jobs, the policy and quotas go by the name that the database has.
    using Changes = std::vector<storage::DocumentChange>;
    return job_book_->RenameDatabase(from, to, [&](Changes changes) {
      const auto add = [&changes](Changes more) {
        changes.insert(changes.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
      };
      return policies_->RenameDatabase(from, to, "rename database", [&](Changes of_policy) {
        add(std::move(of_policy));
        return quotas_->RenameDatabase(from, to, "rename database", [&](Changes of_quotas) -> Status {
          add(std::move(of_quotas));
          return store_->RenameDatabase(from, to, changes);
        });
      });
    });
  });
}

Status Daemon::OpenStore() {
  storage::StoreOptions options = config_.store;
  options.directory = config_.data;
  options.clock = &SystemClock::Get();
  options.scheduler = pool_.get();
  options.memory = &memory_;
  options.document_kinds = notify::NotifyDocumentKinds();
  options.document_kinds.push_back(DashboardKind());
  options.document_kinds.push_back(PolicyBook::Kind());
  options.document_kinds.push_back(RulesKind());
  options.document_kinds.push_back(quota::QuotaDocuments());
  TM_TRY_ASSIGN(store_, storage::Store::Open(std::move(options)));
  const storage::StoreStats stats = store_->Stats();
  TM_LOG(kInfo, "opened {} in {:.3f} s; {} points replayed", config_.data,
         static_cast<double>(stats.recovery_ns) * 1e-9, stats.recovered_points);
  if (!memory_.NamesAdmitted()) {
    TM_LOG(kWarn, "memory: names have reached what they may have: new series, fields and databases are refused");
  }
  if (HowBackgroundWorks() != BackgroundMeans::kIdleClass) {
    TM_LOG(kInfo,
           "long queries cannot make way at once for short ones: give the process CAP_SYS_NICE or RLIMIT_NICE of 20");
  }
  return {};
}

Status Daemon::OpenWrites() {
  own_databases_ = std::make_unique<OwnDatabases>(store_.get(), config_.store.create_databases);
  write_path_ = std::make_unique<write_path::WritePath>(own_databases_.get(), write_path::WritePathOptions{});
  events_ = std::make_unique<query::api::EventTap>(write_path_.get());
  policies_ = std::make_unique<PolicyBook>(store_->Documents());
  policies_->Load();
  WriteServiceOptions write_options{
      .require_database = config_.require_database,
      .parse_memory_bytes = config_.parse_memory_bytes,
      .knows_policy = [policies = policies_.get()](std::string_view database, std::string_view policy) {
        return policies->Knows(database, policy);
      }};
  write_options.refused = [path = write_path_.get()](const write_path::RejectionLog::Place& place, const Error& error) {
    path->CountRejected(place, error);
  };
  auto write_ids = WriteIdBook::Open(store_->Stats().read_only ? "" : config_.data + "/write_ids");
  if (!write_ids.ok()) {
    TM_LOG(kError, "write ids do not outlive this process: {}", write_ids.error().message);
    write_ids = WriteIdBook::Open("");
  }
  write_ids_ = *std::move(write_ids);
  write_options.write_ids = write_ids_.get();
  write_options.quotas = quotas_.get();
  write_options.write_all = [path = write_path_.get()](std::string_view database,
                                                       std::span<const model::Batch* const> batches) {
    return path->WriteAll(database, batches);
  };
  writes_ = std::make_unique<WriteService>(events_.get(), &metadata_, &SystemClock::Get(), std::move(write_options));
  return {};
}

void Daemon::OpenQueries() {
  query::rules::ManagerOptions rule_options = config_.rules;
  rule_options.history_database = kServerDatabase;
  // A rule's query is a query.
  rule_options.parse = config_.api.parse;
  rule_options.timeout_ms = config_.api.timeout_ms;
  rule_options.lookback_ms = config_.api.lookback_ms;
  rule_options.default_subquery_step_ms = config_.api.default_subquery_step_ms;
  rule_options.budget = config_.api.budget;
  rule_options.external_url = address_.external_url;
  rules_ = std::make_unique<query::rules::Manager>(query::rules::ManagerDependencies{.store = store_.get(),
                                                                                     .sink = events_.get(),
                                                                                     .scheduler = pool_.get(),
                                                                                     .clock = &SystemClock::Get(),
                                                                                     .execute = &query::engine::Execute,
                                                                                     .memory = &query_memory_},
                                                   std::move(rule_options));
  rule_book_ = std::make_unique<RuleBook>(store_->Documents(), config_.api.parse);
  rule_book_->Load();
  rules_api_ = std::make_unique<RulesApi>(
      rule_book_.get(), RulesApi::Hooks{.apply = [this] { ApplyRules(nullptr); },
                                        .is_file = [this](std::string_view name) { return IsRuleFile(name); }});
  OpenBackfills();
  query::api::ApiOptions api_options = config_.api;
  api_options.start_ns = static_cast<int64_t>(start_seconds_ * 1e9);
  api_ = std::make_unique<query::api::QueryApi>(query::api::ApiDependencies{.store = store_.get(),
                                                                            .scheduler = pool_.get(),
                                                                            .clock = &SystemClock::Get(),
                                                                            .rules = rules_.get(),
                                                                            .execute = &query::engine::Execute,
                                                                            .metadata = &metadata_,
                                                                            .memory = &query_memory_},
                                                std::move(api_options));
  {
    MutexLock lock(reload_mutex_);
    SetReloadState(reload_state());
  }
}

bool Daemon::Inherits(std::string_view kind) const {
  return std::ranges::any_of(surroundings_.handover.sockets,
                             [kind](const auto& socket) { return socket.name == kind && socket.wanted.empty(); });
}

Status Daemon::OpenTls() {
  const bool native = std::ranges::any_of(config_.native, &NativeConfig::encrypted);
  if (config_.tls_listen.empty() && !native && !Inherits(kEncrypted)) return {};
  TM_RETURN_IF_ERROR(CheckTlsFiles(config_));
  TM_TRY_ASSIGN(tls_, tls::ServerContext::Load(config_.tls));
  return {};
}

Status Daemon::CheckTlsFiles(const Config& config) {
  if (config.tls.certificate.empty() || config.tls.key.empty()) {
    return InvalidArgument(
        "TLS needs tls.certificate_file and tls.key_file; `tidemark admin certificate new NAME --out FOLDER` "
        "makes both");
  }
  TM_TRY_ASSIGN([[maybe_unused]] const tls::ServerContext::Prepared prepared, tls::ServerContext::Prepare(config.tls));
  return {};
}

Result<query::notify::Config> Daemon::ReadNotifyConfig(const Config& config) {
  const std::string& file = config.notify.config_file;
  if (file.empty()) return query::notify::SilentConfig();
  TM_TRY_ASSIGN(query::notify::Config read, query::notify::LoadConfig(file));
  for (const std::string& warning : read.warnings) TM_LOG(kWarn, "{}: {}", file, warning);
  return read;
}

Status Daemon::OpenNotify() {
  TM_TRY_ASSIGN(query::notify::Config config, ReadNotifyConfig(config_));
  senders_.SetTargets(config.alertmanagers);
  notify::DeliveryOptions delivery;
  delivery.external_url = address_.external_url;
  query::notify::NotifierOptions options;
  options.as_alertmanager = config_.notify.as_alertmanager;
  TM_TRY_ASSIGN(notify_, notify::NotifyService::Start(
                             {.documents = store_->Documents(), .clock = &SystemClock::Get()}, std::move(delivery),
                             std::move(options), std::make_shared<const query::notify::Config>(std::move(config))));
  alertmanager_ = std::make_unique<notify::AlertmanagerApi>(notify_.get(), &SystemClock::Get(), config_.api.version,
                                                            static_cast<int64_t>(start_seconds_ * 1e9));
  return {};
}

void Daemon::Tell(std::vector<query::notify::Alert> alerts) {
  // Only that it has come this far counts of this one.
  const size_t watched = std::erase_if(alerts, [](const query::notify::Alert& alert) {
    return query::notify::ValueOf(alert.labels, query::rules::kAlertName) == kWatchdogAlert;
  });
  if (watched > 0 && watchdog_) watchdog_->Heard();
  senders_.Put(alerts);
  const Result<std::vector<Error>> faults = notify_->Put(std::move(alerts), "rules");
  // Of a store that takes no writes it would be a line for each evaluation.
  if (!faults.ok() && !alerts_lost_) TM_LOG(kError, "alerts of rules cannot be stored: {}", faults.error().message);
  alerts_lost_ = !faults.ok();
  if (faults.ok() && !faults->empty()) {
    TM_LOG(kWarn, "{} alerts of rules were not taken, the first: {}", faults->size(), faults->front().message);
  }
}

void Daemon::OpenBackfills() {
  backfills_ = std::make_unique<BackfillJobs>(
      store_->Documents(), &SystemClock::Get(),
      [this](const BackfillRequest& request, const std::stop_token& stop, const BackfillJobs::Progress& told) {
        return rules_->BackfillGroup(request.file, request.group, request.range, stop, told);
      });
  backfill_api_ =
      std::make_unique<BackfillApi>(backfills_.get(), &SystemClock::Get(), [this](const BackfillRequest& request) {
        return rules_->CheckBackfillGroup(request.file, request.group, request.range);
      });
}

Result<Daemon::LoadedRules> Daemon::ReadRules(const Config& config) {
  LoadedRules loaded;
  std::set<std::string> read;  // a file of two patterns counts once
  for (const std::string& pattern : config.rule_files) {
    for (const std::string& file : query::rules::FilesOf(pattern)) {
      if (!read.insert(file).second) continue;
      TM_TRY_ASSIGN(std::vector<query::rules::Group> some, query::rules::LoadRuleFile(file, config.api.parse));
      for (const query::rules::Group& group : some) loaded.rules += group.rules.size();
      std::move(some.begin(), some.end(), std::back_inserter(loaded.groups));
    }
  }
  if (config.self_alerts && config.host_metrics) {
    TM_TRY_ASSIGN(std::vector<query::rules::Group> own,
                  query::rules::ParseRuleFile(SelfAlertsText(), std::string(kSelfAlertsFile), config.api.parse));
    std::move(own.begin(), own.end(), std::back_inserter(loaded.groups));
  }
  if (!config.notify.watchdog_url.empty()) {
    TM_TRY_ASSIGN(std::vector<query::rules::Group> own,
                  query::rules::ParseRuleFile(WatchdogRuleText(), std::string(kSelfAlertsFile), config.api.parse));
    std::move(own.begin(), own.end(), std::back_inserter(loaded.groups));
  }
  return loaded;
}

void Daemon::ApplyRules(std::vector<query::rules::Group>* files) {
  MutexLock lock(rules_mutex_);
  if (files != nullptr) file_rules_ = std::move(*files);
  std::vector<query::rules::Group> groups = file_rules_;
  std::ranges::move(rule_book_->Groups(), std::back_inserter(groups));
  rules_->SetGroups(std::move(groups));
}

bool Daemon::IsRuleFile(std::string_view name) const {
  MutexLock lock(rules_mutex_);
  return std::ranges::any_of(file_rules_, [&](const query::rules::Group& group) { return group.file == name; });
}

Status Daemon::Bind() {
  const bool plain_inherited = Inherits(kPlain);
  const bool encrypted_inherited = Inherits(kEncrypted);
  const auto adopt = [this](std::string_view kind, const std::string& wanted, int descriptor) -> Status {
    TM_TRY_ASSIGN(http::Endpoint taken, server_->Adopt(descriptor, kind == kEncrypted ? tls_ : nullptr));
    endpoints_.push_back(std::move(taken));
    listening_.push_back({.name = std::string(kind), .wanted = wanted});
    return {};
  };
  for (const std::string_view kind : {kPlain, kEncrypted}) {
    for (int given = TakeKept(kind, ""); given >= 0; given = TakeKept(kind, "")) {
      TM_RETURN_IF_ERROR(adopt(kind, "", given));
    }
  }
  for (const std::string& text : plain_inherited ? std::vector<std::string>() : config_.listen) {
    if (const int kept = TakeKept(kPlain, text); kept >= 0) {
      TM_RETURN_IF_ERROR(adopt(kPlain, text, kept));
      continue;
    }
    TM_TRY_ASSIGN(const http::Endpoint wanted, http::ParseEndpoint(text));
    Result<http::Endpoint> bound = server_->Listen(wanted.address, wanted.port);
    if (bound.ok()) {
      endpoints_.push_back(std::move(bound).value());
      listening_.push_back({.name = std::string(kPlain), .wanted = text});
    } else if (wanted.port == kDashboardPort && bound.error().code == ErrorCode::kUnavailable) {
      TM_LOG(kWarn, "{}: going on without it", bound.error().message);
    } else {
      return bound.error();
    }
  }
  for (const std::string& text : encrypted_inherited ? std::vector<std::string>() : config_.tls_listen) {
    if (const int kept = TakeKept(kEncrypted, text); kept >= 0) {
      TM_RETURN_IF_ERROR(adopt(kEncrypted, text, kept));
      continue;
    }
    TM_TRY_ASSIGN(const http::Endpoint wanted, http::ParseEndpoint(text));
    TM_TRY_ASSIGN(http::Endpoint bound, server_->Listen(wanted.address, wanted.port, tls_));
    endpoints_.push_back(std::move(bound));
    listening_.push_back({.name = std::string(kEncrypted), .wanted = text});
  }
  if (endpoints_.empty()) return MakeError(ErrorCode::kUnavailable, "there is no address to listen on");
  return {};
}

Status Daemon::Listen() {
  const Services services{.writes = writes_.get(),
                          .influx = influx_.get(),
                          .buckets = buckets_.get(),
                          .admin = admin_.get(),
                          .access = access_.get(),
                          .audit = audit_.get(),
                          .quotas = quota_service_.get(),
                          .backup = backups_.get(),
                          .jobs = jobs_.get(),
                          .restart = restarts_.get(),
                          .api = api_.get(),
                          .batches = batches_.get(),
                          .dashboards = dashboards_.get(),
                          .events = events_.get(),
                          .metrics = [this] { return Metrics(); },
                          .rules_database = RulesDatabase(config_)};
  std::vector<http::Route> routes = MakeRoutes(services);
  AddRuleRoutes(
      {.rules = rules_api_.get(), .backfills = backfill_api_.get(), .rules_database = services.rules_database},
      &routes);
  AddNotifyRoutes({.alertmanager = alertmanager_.get(), .rules_database = services.rules_database}, &routes);
  GateQueries(quotas_.get(), std::string(storage::kDefaultDatabase), &routes);
  HoldRoutes(&routes);
  router_ = std::make_unique<http::Router>(
      std::move(routes), http::RouterOptions{.allowed_origins = config_.allowed_origins,
                                             .own_origin = address_.host.empty() ? "" : address_.origin,
                                             .route_prefix = address_.route_prefix,
                                             .external_path = address_.external_path,
                                             .gatekeeper = guard_.get(),
                                             .observer = auditor_.get(),
                                             .default_database = std::string(storage::kDefaultDatabase)});
  // A long query waits on its thread, and must not take that of another one.
  config_.http.waiting_reads = config_.api.turns.waiting_max;
  config_.http.memory = &memory_;
  server_ = std::make_unique<http::Server>(config_.http, router_.get());
  TM_RETURN_IF_ERROR(Bind());
  const http::Endpoint& first = endpoints_.front();
  store_->Announce(http::UrlOf(first) + address_.route_prefix);
  TM_RETURN_IF_ERROR(ListenUdp());
  TM_RETURN_IF_ERROR(ListenNative());
  StartRecorders();
  backfills_->Start();
  job_book_->Start();
  scrubber_->Start();
  StartWatchdog();
  RuleRunner::Refusal refusal;
  if (config_.self_alerts) refusal = [this] { return store_->Stats().read_only_reason; };
  const int64_t now_ms = SystemClock::Get().NowNs() / 1'000'000;
  const std::vector<query::notify::Alert> own = notify_->OwnAlerts();
  // Who was not told that one has ended before the restart is told now.
  senders_.Put(own);
  rule_runner_ = std::make_unique<RuleRunner>(
      rules_.get(), &SystemClock::Get(), address_.external_url, std::move(refusal),
      [this](auto alerts) { Tell(std::move(alerts)); },
      ToldBefore(*store_, own, rules_->Status(), RulesDatabase(config_), now_ms));
  backup_schedule_ = std::make_unique<backup::BackupSchedule>(backup_maker_.get(), &SystemClock::Get());
  CloseKept();
  server_->Start();
  Resume();
  return {};
}

void Daemon::StartRecorders() {
  if (!config_.host_metrics) return;
  if (store_->Stats().read_only) {
    TM_LOG(kWarn, "host metrics and uptime are not recorded: the store is read-only");
    return;
  }
  executor::HostReporterOptions options;
  options.sampler.data_directory = config_.data;
  host_ = std::make_unique<executor::HostReporter>(std::move(options), *events_, SystemClock::Get());
  host_->Start();
  uptime_ = std::make_unique<UptimeRecorder>(*events_, SystemClock::Get());
  if (const Status started = uptime_->Start(config_.data); !started.ok()) {
    TM_LOG(kWarn, "uptime is not recorded: {}", started.error().message);
  }
  self_ = std::make_unique<SelfRecorder>(*events_, SystemClock::Get(), [this] { return LookAtSelf(); });
  self_->Start();
}

bool Daemon::Lives(std::chrono::nanoseconds within) const {
  return SystemClock::Get().SteadyNs() - server_->last_sweep_ns() < within.count();
}

}  // namespace tidemark::server
