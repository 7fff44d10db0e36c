// Daemon::Reload: first everything is read and checked, then all of it comes into force.
#include <fmt/format.h>

#include <utility>

#include "storage/base/log.h"
#include "tools/server/config/memory_fit.h"
#include "tools/server/config/setting_changes.h"
#include "tools/server/daemon.h"

namespace tidemark::server {
namespace {

void Report(const Reloaded& done, size_t rule_files) {
  TM_LOG(kInfo, "reloaded: {} rules of {} files are in force{}{}", done.rules, rule_files,
         done.changed.empty() ? "" : "; changed: ", fmt::join(done.changed, ", "));
  for (const std::string& key : done.need_restart) TM_LOG(kWarn, "{} changed: needs a restart", key);
}

}  // namespace

Result<Reloaded> Daemon::Reload() {
  MutexLock lock(reload_mutex_);
  Result<Reloaded> done = ReloadAll();
  ReloadState state = reload_state();
  state.good = done.ok();
  if (done.ok()) {
    state.good_seconds = static_cast<double>(SystemClock::Get().NowNs()) * 1e-9;
    Report(*done, settings_.rule_files.size());
  } else {
    TM_LOG(kError, "reload: nothing was changed, what was in force still is: {}", done.error().message);
  }
  SetReloadState(state);
  return done;
}

Result<Reloaded> Daemon::ReloadAll() {
  if (stopping_) return MakeError(ErrorCode::kUnavailable, "the server ends");
  TM_TRY_ASSIGN(const Config wanted, surroundings_.read_again());
  Config next = settings_;
  const SettingChanges changes = TakeSettings(wanted, &next);
  TM_TRY_ASSIGN(query::notify::Config told, ReadNotifyConfig(next));
  TM_TRY_ASSIGN(LoadedRules loaded, ReadRules(next));
  tls::ServerContext::Prepared certificate;
  if (tls_) {
    TM_TRY_ASSIGN(certificate, tls::ServerContext::Prepare(next.tls));
  }
  // Nothing below can fail.
  settings_ = std::move(next);
  if (tls_) tls_->Adopt(std::move(certificate));
  senders_.SetTargets(told.alertmanagers);
  notify_->SetConfig(std::make_shared<const query::notify::Config>(std::move(told)));
  ApplyRules(&loaded.groups);
  if (!changes.taken.empty()) TakeLimits();
  return Reloaded{.rules = loaded.rules, .changed = changes.taken, .need_restart = changes.need_restart};
}

void Daemon::TakeLimits() {
  Config fitted = settings_;
  FitToMemory(memory_.limit_bytes(), &fitted);
  log::SetLevel(fitted.log_level);
  server_->SetLimits(fitted.http);
  writes_->SetLimits(fitted.require_database, fitted.parse_memory_bytes);
  const query::engine::QueryLimits limits{.timeout_ms = fitted.api.timeout_ms, .budget = fitted.api.budget};
  api_->SetLimits(limits);
  rules_->SetLimits(limits);
  query_memory_.set_bytes_max(fitted.api.total_memory_bytes);
  sessions_->SetLifetime(fitted.session_lifetime_ms * 1'000'000);
}

query::api::QueryApi::Shown Daemon::ShownSettingsOf(Config config, const ReloadState& state) {
  query::api::QueryApi::Shown shown{.config_yaml = PrintConfig(config),
                                    .reload_good = state.good,
                                    .config_ns = static_cast<int64_t>(state.good_seconds * 1e9)};
  for (const Setting& setting : SettingsOf(&config)) {
    std::string value;
    for (const std::string& part : Shown(setting)) value += (value.empty() ? "" : ",") + part;
    shown.flags.emplace_back(setting.key, std::move(value));
  }
  return shown;
}

ReloadState Daemon::reload_state() const {
  MutexLock lock(reload_state_mutex_);
  return reload_state_;
}

void Daemon::SetReloadState(const ReloadState& state) {
  {
    MutexLock lock(reload_state_mutex_);
    reload_state_ = state;
  }
  api_->SetShown(ShownSettingsOf(settings_, state));
}

}  // namespace tidemark::server
