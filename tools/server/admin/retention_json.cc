#include "tools/server/admin/retention_json.h"

#include <fmt/core.h>

#include "query/promql/printer.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server {

using text::AppendJsonString;

std::string RetentionJson(std::string_view database, const storage::DatabaseOptions& options) {
  std::string out = R"("database":)";
  AppendJsonString(&out, database);
  out += fmt::format(R"(,"retentionSeconds":{},"maxBytes":{},"selectors":[)", options.retention_ns / 1'000'000'000,
                     options.max_bytes);
  for (const storage::SelectorRetention& selector : options.selectors) {
    if (out.back() != '[') out += ',';
    out += R"({"match":)";
    AppendJsonString(&out, query::promql::ToSelector(selector.matchers));
    out += fmt::format(R"(,"keepSeconds":{}}})", selector.keep_ns / 1'000'000'000);
  }
  out += R"(],"tiers":[)";
  for (const storage::RollupTier& tier : options.tiers) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"widthSeconds":{},"keepSeconds":{}}})", tier.width_ns / 1'000'000'000,
                       tier.keep_ns / 1'000'000'000);
  }
  return out + "]";
}

std::string ReportJson(const storage::DeleteReport& report) {
  return fmt::format(R"({{"series":{},"rows":{},"bytes":{}}})", report.series, report.rows, report.bytes);
}

std::string PlanJson(const storage::RetentionReport& plan, bool dry_run, uint64_t dropped) {
  std::string out =
      fmt::format(R"(,"dryRun":{},"partitionsDropped":{},"partitionBytes":{},"partitionsReduced":{},"reducedBytes":{},)"
                  R"("expired":{{"rows":{},"inMemory":{},"bytes":{}}},"selected":{},"goneBy":)",
                  dry_run, dropped, plan.partition_bytes, plan.partitions_reduced, plan.reduced_bytes,
                  plan.expired.rows, plan.expired.staged_rows, plan.expired.bytes, ReportJson(plan.selected));
  if (plan.gone_by_ns == 0) return out + "null";
  out += '"';
  text::AppendRfc3339(&out, plan.gone_by_ns / 1'000'000'000 * 1'000'000'000);
  return out + '"';
}

}  // namespace tidemark::server
