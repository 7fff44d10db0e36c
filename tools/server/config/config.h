// Config: everything that an operator can set, from one YAML file and from flags. Each setting is one row of a table
// (config.cc) that the file, the flags and --print-config share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "query/api/api.h"
#include "query/rules/manager.h"
#include "storage/base/log.h"
#include "storage/base/result.h"
#include "storage/storage.h"
#include "tools/server/backup/backup_maker.h"
#include "tools/server/http/server.h"
#include "tools/server/scrub/scrubber.h"
#include "tools/server/write/native_listener.h"
#include "tools/server/write/udp_listener.h"
#include "tools/server/write/write_service.h"
#include "tools/tls/server_context.h"

namespace tidemark::server {

// As many connections as open files allow.
inline http::ServerOptions HttpDefaults() {
  http::ServerOptions options;
  options.connections_max = 0;
  return options;
}

struct NotifyConfig {
  std::string config_file;
  bool as_alertmanager = false;
  std::string watchdog_url;  // "": nothing is called
  int64_t watchdog_interval_ns = 60'000'000'000;
};

struct Config {
  std::string data = "./tidemark-data";
  std::vector<std::string> listen = {"127.0.0.1:8086", "127.0.0.1:3000"};
  std::vector<std::string> tls_listen;
  tls::ServerFiles tls;
  std::vector<std::string> allowed_origins;
  std::vector<std::string> allowed_hosts;
  std::string external_url;  // see address.h
  std::string route_prefix;
  int64_t session_lifetime_ms = 12 * 3'600'000;
  std::vector<UdpConfig> udp;
  std::vector<NativeConfig> native;
  bool host_metrics = true;
  bool require_database = false;
  uint64_t parse_memory_bytes = WriteServiceOptions().parse_memory_bytes;
  uint64_t pool_workers = 0;
  int64_t drain_ms = 10'000;
  std::vector<std::string> rule_files;
  log::Level log_level = log::Level::kInfo;
  http::ServerOptions http = HttpDefaults();
  storage::StoreOptions store;
  query::api::ApiOptions api;
  query::rules::ManagerOptions rules;
  bool self_alerts = true;
  NotifyConfig notify;
  backup::BackupConfig backup;
  ScrubConfig scrub;
  uint64_t memory_limit_bytes = 0;
};

// A row of the table: a key, what it means, and how its text is read and shown.
struct Setting {
  std::string key;   // "http.io_threads"; its flag is --http-io-threads
  std::string flag;  // besides that; "" for none
  std::string comment;
  bool list = false;
  bool live = false;  // a reload takes it over; else it needs a restart
  // Who knows it could do what only we should: shown to nobody (Shown).
  bool secret = false;
  // Takes one value (of a list: one more). kInvalidArgument says what would be right.
  std::function<Status(std::string_view)> set;
  std::function<std::vector<std::string>()> show;
  std::function<void()> clear = [] {};  // of a list: before its first value
};

// Of a key, what stands before its dot: "http" of "http.io_threads"; "" of one that stands outside of all sections.
std::string_view SectionOf(std::string_view key);

// The values of a setting as anybody may see them: "<secret>" in place of one that is.
std::vector<std::string> Shown(const Setting& setting);

// All settings, bound to `config`, which must outlive them.
std::vector<Setting> SettingsOf(Config* config);

inline constexpr size_t kConfigFileBytesMax = size_t{1} << 20;

// Reads a file into `config`. kInvalidArgument: `FILE:LINE:COLUMN: reason`, unknown keys included.
Status LoadConfig(const std::string& path, Config* config);
Status ParseConfig(std::string_view text, const std::string& file, Config* config);

// The effective settings as a YAML file that ParseConfig reads back, with each key's comment above it; secrets are left
// out, so that a file with one is refused.
std::string PrintConfig(Config config);

// "127.0.0.1:8089,db=telegraf,precision=s,batch=1MiB,interval=1s": the flag's form of a UDP listener.
Result<UdpConfig> ParseUdp(std::string_view text);
// "127.0.0.1:8087,db=app,connections=64": the flag's form of a listener for native batches.
Result<NativeConfig> ParseNative(std::string_view text);

}  // namespace tidemark::server
