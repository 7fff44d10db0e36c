// The act "status".
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "tools/disk_use/disk_use.h"
#include "tools/server/admin/admin_service.h"

namespace tidemark::server {
namespace {

void AppendText(std::string* out, std::string_view key, std::string_view value) {
  *out += fmt::format(R"(,"{}":)", key);
  text::AppendJsonString(out, value);
}

void AppendTime(std::string* out, std::string_view key, int64_t ns) {
  *out += fmt::format(R"(,"{}":{})", key, ns == 0 ? "null" : "\"" + text::PrintSecond(ns) + "\"");
}

}  // namespace

http::Response AdminService::ShowStatus(http::Request& /*request*/) const {
  const storage::StoreStats stats = store_->Stats();
  const StatusFacts facts = facts_();
  const std::vector<model::Finding> findings = store_->Findings();
  const auto open = std::ranges::count_if(findings, [](const model::Finding& finding) { return !finding.accepted; });
  std::string data = R"({"version":)";
  text::AppendJsonString(&data, facts.version);
  AppendTime(&data, "started", facts.started_ns);
  data += fmt::format(R"(,"upSeconds":{})", facts.up_ns / 1'000'000'000);
  AppendText(&data, "directory", facts.directory);
  AppendText(&data, "writes", stats.read_only ? "refused: " + stats.read_only_reason : "taken");
  data += fmt::format(R"(,"findings":{},"databases":{},"series":{},"partitions":{},"epochs":{})", open,
                      store_->Databases().size(), stats.series, stats.partitions, stats.epochs);
  data +=
      fmt::format(R"(,"pointsWritten":{},"rowsRejected":{},"stagedBytes":{},"memoryBytes":{},"memoryLimitBytes":{})",
                  stats.points_written, stats.rows_rejected, stats.staged_bytes + stats.slab_bytes, facts.memory_bytes,
                  facts.memory_limit_bytes);
  data += fmt::format(R"(,"pageBytes":{})", stats.disk_bytes);
  uint64_t total = 0;
  std::string parts;
  // A folder that cannot be looked through is no reason to tell nothing.
  if (const auto disk = disk_use::MeasureDisk(facts.directory); disk.ok()) {
    for (const disk_use::PartUse& part : *disk) {
      parts += fmt::format(R"({}"{}Bytes":{})", parts.empty() ? "" : ",", part.name, part.bytes);
      total += part.bytes;
    }
  }
  data += fmt::format(R"(,"diskBytes":{},"disk":{{{}}},"jobsOpen":{})", total, parts, facts.jobs_open);
  if (facts.backups) {
    AppendTime(&data, "lastBackup", facts.last_backup_ns);
  } else {
    AppendText(&data, "lastBackup", "none: backup.directory is not set");
  }
  data += fmt::format(R"(,"scrub":{{"progressPercent":{:.0f},"damagedPages":{})", facts.scrub_progress * 100,
                      facts.damaged_pages);
  AppendTime(&data, "lastRoundEnded", facts.scrub_ended_ns);
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + "}}}");
}

}  // namespace tidemark::server
