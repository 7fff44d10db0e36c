// Config: who is told of alerts, read from a file in Alertmanager's format.
//
//   TM_TRY_ASSIGN(Config config, ParseConfig(text, "alerts.yml"));
//
// README.md has the keys. Every fault is told at once, `FILE:LINE:COLUMN: reason` a line each.
// Source: https://prometheus.io/docs/alerting/0.25/configuration/
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "query/notify/inhibit.h"
#include "query/notify/receiver.h"
#include "query/notify/route.h"
#include "query/notify/time_interval.h"
#include "storage/base/result.h"

namespace tidemark::query::notify {

inline constexpr size_t kConfigBytesMax = size_t{1} << 20;
inline constexpr size_t kReceiversMax = 1'000;
inline constexpr size_t kAlertmanagersMax = 32;
inline constexpr size_t kRoutesMax = 10'000;
// Routes inside routes.
inline constexpr int kRouteDepthMax = 50;

// Names of time intervals to what they are; a time is in one that is in any of its list.
using TimeIntervals = std::map<std::string, std::vector<TimeInterval>, std::less<>>;

struct Config {
  // How long an alert goes on of which the sender gave no end.
  int64_t resolve_timeout_ns = 300'000'000'000;
  Route root;
  std::vector<Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<AlertmanagerTarget> alertmanagers;
  TimeIntervals intervals;
  // What is allowed and probably not meant; a line each.
  std::vector<std::string> warnings;

  [[nodiscard]] const Receiver* FindReceiver(std::string_view name) const;
};

// The configuration that tells nobody: one route to one receiver without integrations, called "default".
Config SilentConfig();

Result<Config> ParseConfig(std::string_view text, const std::string& file);
Result<Config> LoadConfig(const std::string& path);

// The configuration as YAML that `amtool` loads. No secret is in it; ways to receivers that Alertmanager 0.25 does not
// have are left out.
std::string PrintConfig(const Config& config);

}  // namespace tidemark::query::notify
