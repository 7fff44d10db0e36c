#include "tools/server/admin_service.h"

#include <fmt/core.h>

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "query/api/envelope.h"
#include "query/api/json.h"
#include "query/rules/rule_file.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::AppendJsonString;
using query::api::ErrorType;

Response Fail(ErrorType type, std::string_view text) {
  query::api::Reply reply = query::api::ErrorReply(type, text);
  return http::JsonResponse(reply.status, std::move(reply.body));
}
Response Fail(const Error& error) {
  const bool bad = error.code == ErrorCode::kInvalidArgument;
  return Fail(bad ? ErrorType::kBadData : query::api::ExecutionErrorType(error.code), error.message);
}

Response Succeed(std::string data) {
  return http::JsonResponse(200, R"({"status":"success","data":)" + std::move(data) + '}');
}

std::string DatabaseOf(const Request& request) {
  if (!request.database.empty()) return request.database;
  const std::string_view named = request.params.Get("db");
  return std::string(named.empty() ? storage::kDefaultDatabase : named);
}

std::string ProgressJson(const storage::CompactionProgress& progress) {
  return fmt::format(R"("partitionsDone":{},"partitionsTotal":{},"bytesRead":{},"bytesWritten":{})",
                     progress.partitions_done, progress.partitions_total, progress.bytes_read, progress.bytes_written);
}

}  // namespace

Response AdminService::SetRetention(Request& request) const {
  const std::string_view keep = request.params.Get("keep");
  if (keep.empty()) return Fail(ErrorType::kBadData, "parameter \"keep\" is missing: a duration such as 30d, or inf");
  int64_t keep_ms = 0;
  if (keep != "inf" && keep != "INF") {
    const Result<int64_t> parsed = query::rules::ParseRuleDurationMs(keep);
    if (!parsed.ok()) return Fail(parsed.error().Within("invalid parameter \"keep\""));
    keep_ms = *parsed;
  }
  const std::string database = DatabaseOf(request);
  storage::DatabaseOptions options;
  bool found = false;
  for (const storage::DatabaseInfo& info : store_->Databases()) {
    if (info.name != database) continue;
    options = info.options;
    found = true;
  }
  if (!found) return Fail(ErrorType::kNotFound, fmt::format("database not found: \"{}\"", database));
  options.retention_ns = keep_ms * 1'000'000;
  if (const Status set = store_->SetDatabaseOptions(database, options); !set.ok()) return Fail(set.error());
  const Result<uint64_t> dropped = store_->ApplyRetention();
  if (!dropped.ok()) return Fail(dropped.error());
  std::string data = R"({"database":)";
  AppendJsonString(&data, database);
  data += fmt::format(R"(,"retentionSeconds":{},"partitionsDropped":{}}})", keep_ms / 1000, *dropped);
  return Succeed(std::move(data));
}

Response AdminService::ShowDatabases(Request&) const {
  std::string data = "[";
  for (const storage::DatabaseInfo& info : store_->Databases()) {
    if (data.size() > 1) data += ',';
    data += R"({"database":)";
    AppendJsonString(&data, info.name);
    data += fmt::format(
        R"(,"retentionSeconds":{},"partitionSeconds":{},"syncIntervalSeconds":{},"series":{},"fields":{},"partitions":{},"diskBytes":{}}})",
        info.options.retention_ns / 1'000'000'000, info.options.partition_ns / 1'000'000'000,
        static_cast<double>(info.options.sync_interval_ns) * 1e-9, info.series, info.fields, info.partitions,
        info.disk_bytes);
  }
  return Succeed(data + ']');
}

Response AdminService::Checkpoint(Request&) const {
  if (const Status done = store_->Checkpoint(); !done.ok()) return Fail(done.error());
  const storage::StoreStats stats = store_->Stats();
  return Succeed(fmt::format(R"({{"checkpoints":{},"diskBytes":{}}})", stats.checkpoints, stats.disk_bytes));
}

Response AdminService::Compact(Request& request) const {
  const std::string database = DatabaseOf(request);
  if (!store_->HasDatabase(database)) {
    return Fail(ErrorType::kNotFound, fmt::format("database not found: \"{}\"", database));
  }
  Response response;
  response.content_type = "application/x-ndjson";
  response.produce = [store = store_, database](const std::shared_ptr<http::ReplyStream>& stream) {
    // A client that goes away stops the work after the partition at hand.
    std::stop_source stop;
    const Result<storage::CompactionProgress> done =
        store->Compact(database, stop.get_token(), [&stream, &stop](const storage::CompactionProgress& progress) {
          if (!stream->Push('{' + ProgressJson(progress) + "}\n")) stop.request_stop();
        });
    std::string last = "{";
    if (done.ok()) {
      last += ProgressJson(*done) + R"(,"done":true)";
    } else {
      last += R"("error":)";
      AppendJsonString(&last, done.error().message);
    }
    stream->Push(last + "}\n");
    stream->Finish();
  };
  return response;
}

}  // namespace tidemark::server
