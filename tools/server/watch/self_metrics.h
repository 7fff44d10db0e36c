// /metrics: this process in Prometheus' text format 0.0.4.
#pragma once

#include <string>
#include <vector>

#include "executor/pool/thread_pool.h"
#include "ingest/write_path/write_path.h"
#include "query/api/api.h"
#include "query/api/event_tap.h"
#include "query/rules/manager.h"
#include "storage/base/memory/budget.h"
#include "storage/storage.h"
#include "tools/server/audit/auditor.h"
#include "tools/server/backup/backup_maker.h"
#include "tools/server/http/router.h"
#include "tools/server/http/server.h"
#include "tools/server/notify/alertmanager_sender.h"
#include "tools/server/notify/notify_service.h"
#include "tools/server/scrub/scrubber.h"
#include "tools/server/watch/watchdog.h"
#include "tools/server/write/native_listener.h"
#include "tools/server/write/udp_listener.h"
#include "tools/server/write/write_service.h"

namespace tidemark::server {

// Null members are left out.
struct MetricSources {
  const storage::Store* store = nullptr;
  const memory::Budget* memory = nullptr;
  const http::Server* http = nullptr;
  const http::Router* router = nullptr;
  const WriteService* writes = nullptr;
  const write_path::WritePath* write_path = nullptr;
  const query::api::EventTap* events = nullptr;
  const query::rules::Manager* rules = nullptr;
  const notify::NotifyService* notify = nullptr;
  const notify::AlertmanagerSenders* senders = nullptr;
  const Watchdog* watchdog = nullptr;
  const query::api::QueryApi* api = nullptr;
  const executor::ThreadPool* pool = nullptr;
  const std::vector<std::unique_ptr<UdpListener>>* udp = nullptr;
  const std::vector<std::unique_ptr<NativeListener>>* native = nullptr;
  const audit::Auditor* auditor = nullptr;
  const backup::BackupMaker* backups = nullptr;
  const Scrubber* scrubber = nullptr;
  std::string version;
  double start_seconds = 0;          // since 1970
  uint64_t restarts = 0;             // of this process
  double restart_pause_seconds = 0;  // of the last of them
  bool reload_good = true;
  double config_seconds = 0;  // when the settings in force were read, since 1970
};

std::string MetricsText(const MetricSources& sources);

}  // namespace tidemark::server
