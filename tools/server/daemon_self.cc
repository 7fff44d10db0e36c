// What the server takes of the machine, and what it knows of itself: open files, memory, metrics, the watchdog.
#include <fmt/core.h>

#include <string>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/memory/name_cost.h"
#include "storage/base/text/byte_size.h"
#include "storage/model/finding_warnings.h"
#include "tools/server/config/memory_fit.h"
#include "tools/server/daemon.h"
#include "tools/server/notify/ping.h"
#include "tools/server/open_files.h"
#include "tools/server/watch/self_alerts.h"
#include "tools/server/watch/self_metrics.h"

namespace tidemark::server {

void Daemon::TakeOpenFiles() {
  const OpenFiles files =
      ShareOpenFiles(RaiseOpenFileLimit(), config_.store.max_open_files, config_.http.connections_max);
  if (files.connections < config_.http.connections_max) {
    TM_LOG(kWarn,
           "{} open files are allowed: {} connections are taken instead of {}; raise the hard limit (ulimit -Hn, "
           "LimitNOFILE= of systemd) for more",
           files.limit, files.connections, config_.http.connections_max);
  }
  TM_LOG(kInfo, "open files: {} are allowed, for {} connections and {} tables of the store", files.limit,
         files.connections, files.tables);
  config_.store.max_open_files = files.tables;
  config_.http.connections_max = files.connections;
}

void Daemon::TakeMemory() {
  memory_watch_ = std::make_unique<memory::Watch>(
      &memory_, memory::WatchOptions{.setting_bytes = config_.memory_limit_bytes, .places = {}, .looked = {}});
  const memory::Ceiling ceiling = memory_watch_->ceiling();
  for (const LoweredSetting& lowered : FitToMemory(memory_.limit_bytes(), &config_)) {
    TM_LOG(kInfo, "memory: {} is {} instead of {}", lowered.key, text::PrintMebibytes(lowered.to_bytes),
           text::PrintMebibytes(lowered.from_bytes));
  }
  query_memory_.set_bytes_max(config_.api.total_memory_bytes);
  const uint64_t names = memory_.limit_bytes(memory::Class::kNames);
  TM_LOG(kInfo, "memory: {} ({}), of which {} are used at most, {} of them for names: about {} series fit",
         text::PrintMebibytes(ceiling.bytes), ceiling.source, text::PrintMebibytes(memory_.limit_bytes()),
         text::PrintMebibytes(names), memory::SeriesThatFit(names));
  memory_watch_->Start();
}

std::string Daemon::Metrics() const {
  const ReloadState reload = reload_state();
  const Restarter::Past restarts =
      surroundings_.restarter == nullptr ? Restarter::Past() : surroundings_.restarter->past();
  return MetricsText({.store = store_.get(),
                      .memory = &memory_,
                      .http = server_.get(),
                      .router = router_.get(),
                      .writes = writes_.get(),
                      .write_path = write_path_.get(),
                      .events = events_.get(),
                      .rules = rules_.get(),
                      .notify = notify_.get(),
                      .senders = &senders_,
                      .watchdog = watchdog_.get(),
                      .api = api_.get(),
                      .pool = pool_.get(),
                      .udp = &udp_,
                      .native = &native_,
                      .auditor = auditor_.get(),
                      .backups = backup_maker_.get(),
                      .scrubber = scrubber_.get(),
                      .version = config_.api.version,
                      .start_seconds = start_seconds_,
                      .restarts = restarts.restarts,
                      .restart_pause_seconds = static_cast<double>(restarts.pause_ns) * 1e-9,
                      .reload_good = reload.good,
                      .config_seconds = reload.good_seconds}) +
         quota_service_->MetricsText();
}

StatusFacts Daemon::LookAtStatus() const {
  const ScrubState scrub = scrubber_->state();
  StatusFacts facts{.version = config_.api.version,
                    .directory = config_.data,
                    .started_ns = static_cast<int64_t>(start_seconds_ * 1e9),
                    .up_ns = SystemClock::Get().SteadyNs() - start_steady_ns_,
                    .memory_limit_bytes = memory_.limit_bytes(),
                    .last_backup_ns = backup_maker_->counters().last_made_ns,
                    .backups = !backup_maker_->config().directory.empty(),
                    .scrub_ended_ns = scrub.last_ended_ns,
                    .damaged_pages = scrub.damaged.size()};
  for (const memory::ClassRow& row : memory::kClasses) facts.memory_bytes += memory_.used_bytes(row.id);
  for (const jobs::Job& job : job_book_->List()) facts.jobs_open += jobs::HasEnded(job.state) ? 0 : 1;
  for (const BackfillJob& job : backfills_->List()) {
    facts.jobs_open += job.state == BackfillState::kWaiting || job.state == BackfillState::kRunning ? 1 : 0;
  }
  const uint64_t bytes = store_->Stats().disk_bytes;
  if (scrub.round_begun_ns != 0 && bytes > 0) {
    facts.scrub_progress = std::min(1.0, static_cast<double>(scrub.round_bytes) / static_cast<double>(bytes));
  }
  return facts;
}

SelfFigures Daemon::LookAtSelf() const {
  const storage::StoreStats stats = store_->Stats();
  SelfFigures figures{
      .findings = model::WarningsOf(store_->Findings()).size(),
      .corrupt_pages = stats.corrupt_pages,
      .memory_used_ratio = MemoryUsedRatio(),
      .receivers_failing = 0,
      .reserve_missing_bytes = stats.reserve_wanted_bytes - std::min(stats.reserve_wanted_bytes, stats.reserve_bytes),
      .certificate_ends_seconds = {}};
  for (const notify::LaneStats& lane : notify_->Lanes()) figures.receivers_failing += lane.failures > 0 ? 1 : 0;
  for (const notify::SenderStats& sender : senders_.Stats()) figures.receivers_failing += sender.failing ? 1 : 0;
  if (tls_) figures.certificate_ends_seconds = tls_->ends_seconds();
  return figures;
}

void Daemon::StartWatchdog() {
  if (config_.notify.watchdog_url.empty()) return;
  watchdog_ = std::make_unique<Watchdog>(
      &SystemClock::Get(), config_.notify.watchdog_interval_ns, [this] { return LookAtTelling(); },
      [url = config_.notify.watchdog_url](const std::atomic<bool>* stop) { return notify::Ping(url, stop); });
  watchdog_->Start();
}

WatchdogFacts Daemon::LookAtTelling() const {
  WatchdogFacts facts{.fault = WatchdogRuleFault(rules_->Status()), .failing = {}};
  if (alerts_lost_) facts.fault = "alerts cannot be stored";
  for (const notify::LaneStats& lane : notify_->Lanes()) {
    if (lane.failures > 0)
      facts.failing.push_back(fmt::format("way {} of receiver {}", lane.integration, lane.receiver));
  }
  for (const notify::SenderStats& sender : senders_.Stats()) {
    if (sender.failing) facts.failing.push_back("the Alertmanager " + sender.url);
  }
  return facts;
}

}  // namespace tidemark::server
