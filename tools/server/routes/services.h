// Services: what the handlers of routes call.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "query/api/api.h"
#include "query/api/event_tap.h"
#include "tools/server/access/access_service.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/audit/audit_service.h"
#include "tools/server/backup/backup_service.h"
#include "tools/server/batch/batch_service.h"
#include "tools/server/dashboard/saved_dashboards.h"
#include "tools/server/influx/bucket_service.h"
#include "tools/server/influx/influx_service.h"
#include "tools/server/jobs/job_service.h"
#include "tools/server/lifecycle/restart_service.h"
#include "tools/server/quota/quota_service.h"
#include "tools/server/write/write_service.h"

namespace tidemark::server {

// All outlive the router.
struct Services {
  WriteService* writes = nullptr;
  InfluxService* influx = nullptr;
  const BucketService* buckets = nullptr;
  AdminService* admin = nullptr;
  access::AccessService* access = nullptr;
  audit::AuditService* audit = nullptr;
  quota::QuotaService* quotas = nullptr;
  backup::BackupService* backup = nullptr;
  jobs::JobService* jobs = nullptr;
  RestartService* restart = nullptr;
  const query::api::QueryApi* api = nullptr;
  BatchService* batches = nullptr;
  SavedDashboards* dashboards = nullptr;
  query::api::EventTap* events = nullptr;
  std::function<std::string()> metrics;    // the text of /metrics
  std::string rules_database = "default";  // what rules read and write
};

}  // namespace tidemark::server
