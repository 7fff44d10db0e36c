#include "tools/server/config/setting_changes.h"

#include <algorithm>
#include <string_view>

#include "storage/base/check.h"

namespace tidemark::server {
namespace {

constexpr std::string_view kLive[] = {
    "http.header_bytes_max",
    "http.body_bytes_max",
    "http.decoded_bytes_max",
    "http.decode_ratio_max",
    "http.body_memory",
    "http.reply_memory",
    "http.header_timeout",
    "http.body_stall",
    "http.body_grace",
    "http.body_rate_min",
    "http.idle_timeout",
    "tls.certificate_file",
    "tls.key_file",
    "tls.client_ca_file",
    "tls.min_version",
    "access.session_lifetime",
    "write.parse_memory",
    "write.require_database",
    "query.timeout",
    "query.max_series",
    "query.max_samples",
    "query.max_points",
    "query.max_memory",
    "query.total_memory",
    "rules.files",
    "notify.config",
    "log.level",
};

}  // namespace

void MarkLive(std::vector<Setting>* rows) {
  for (const std::string_view key : kLive) {
    const auto row = std::ranges::find(*rows, key, &Setting::key);
    TM_CHECK(row != rows->end());
    row->live = true;
    row->comment += " A reload takes it over.";
  }
}

SettingChanges TakeSettings(Config wanted, Config* in_force) {
  SettingChanges changes;
  const std::vector<Setting> from = SettingsOf(&wanted);
  const std::vector<Setting> to = SettingsOf(in_force);
  for (size_t i = 0; i < from.size(); ++i) {
    const std::vector<std::string> values = from[i].show();
    if (values == to[i].show()) continue;
    if (!from[i].live) {
      changes.need_restart.push_back(from[i].key);
      continue;
    }
    changes.taken.push_back(from[i].key);
    to[i].clear();
    // What a setting shows it takes.
    for (const std::string& value : values) TM_CHECK(to[i].set(value).ok());
  }
  return changes;
}

}  // namespace tidemark::server
