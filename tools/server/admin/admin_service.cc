#include "tools/server/admin/admin_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "query/api/json.h"
#include "query/api/values.h"
#include "query/promql/parser.h"
#include "query/rules/rule_file.h"
#include "storage/base/check.h"
#include "storage/base/text/count.h"
#include "storage/base/text/instant.h"
#include "tools/server/admin/database_of.h"
#include "tools/server/admin/retention_json.h"
#include "tools/server/admin/row_import.h"
#include "tools/server/admin/type_conflicts.h"

namespace tidemark::server {
namespace {

using http::Request;
using http::Response;
using query::api::ErrorType;
using storage::DatabaseOptions;
using text::AppendJsonString;

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

// match[], as Prometheus spells it, or match.
std::vector<std::string_view> Matches(const Request& request) {
  std::vector<std::string_view> all = request.params.All("match[]");
  const std::vector<std::string_view> more = request.params.All("match");
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Response NoContent() {
  Response response;
  response.status = 204;
  return response;
}

Error NoDatabase(std::string_view name) { return NotFound(fmt::format("database not found: \"{}\"", name)); }

Result<DatabaseOptions> OptionsOf(const storage::Store& store, std::string_view database) {
  for (const storage::DatabaseInfo& info : store.Databases()) {
    if (info.name == database) return info.options;
  }
  return NoDatabase(database);
}

// Nanoseconds; 0 for "inf".
Result<int64_t> ParseKeep(std::string_view text) {
  if (text == "inf" || text == "INF" || text == "0") return 0;
  TM_TRY_ASSIGN(const int64_t ms, query::rules::ParseRuleDurationMs(text));
  int64_t ns = 0;
  if (ms < 0 || __builtin_mul_overflow(ms, int64_t{1'000'000}, &ns)) {
    return InvalidArgument(fmt::format("duration \"{}\" is out of range", text));
  }
  return ns;
}

// "5m:90d": width and how long it is kept.
Result<storage::RollupTier> ParseTier(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return InvalidArgument(fmt::format("\"{}\" has no colon", text));
  }
  storage::RollupTier tier;
  TM_TRY_ASSIGN(tier.width_ns, ParseKeep(text.substr(0, colon)));
  TM_TRY_ASSIGN(tier.keep_ns, ParseKeep(text.substr(colon + 1)));
  return tier;
}

// 1000000, 50GB, 50GiB.
Result<uint64_t> ParseByteCount(std::string_view text) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  constexpr std::string_view kUnits = "KMGTP";
  uint64_t factor = 1;
  bool good = error == std::errc();
  if (!unit.empty() && unit != "B") {
    const size_t power = kUnits.find(unit[0]);
    const bool binary = unit.substr(1) == "iB";
    good = good && power != std::string_view::npos && (binary || unit.substr(1) == "B");
    for (size_t i = 0; good && i <= power; ++i) factor *= binary ? 1024 : 1000;
  }
  uint64_t bytes = 0;
  if (!good || __builtin_mul_overflow(count, factor, &bytes)) {
    return InvalidArgument(fmt::format("\"{}\" is no number of bytes such as 50GB or 50GiB", text));
  }
  return bytes;
}

// What the parameters keep=, match[]= and max_bytes= say of the retention.
Status ChangeRetention(const Request& request, DatabaseOptions* options) {
  const std::vector<std::string_view> matches = Matches(request);
  const std::string_view keep = request.params.Get("keep");
  const std::string_view max_bytes = request.params.Get("max_bytes");
  if (keep.empty() && (max_bytes.empty() || !matches.empty())) {
    return InvalidArgument("parameter \"keep\" is missing: a duration such as 30d, or inf");
  }
  if (!keep.empty()) {
    const Result<int64_t> keep_ns = ParseKeep(keep);
    if (!keep_ns.ok()) {
      Error error = keep_ns.error().Within("invalid parameter \"keep\"");
      error.message += "; it is a number and a unit, as 30d, 12h or 1h30m, or inf for ever";
      return error;
    }
    if (matches.empty()) options->retention_ns = *keep_ns;
    for (const std::string_view text : matches) {
      Result<std::vector<model::Matcher>> matchers = query::promql::ParseSelector(text);
      if (!matchers.ok()) return matchers.error().Within("invalid parameter \"match[]\"");
      std::erase_if(options->selectors, [&](const auto& selector) { return selector.matchers == *matchers; });
      if (*keep_ns != 0) options->selectors.push_back({std::move(matchers).value(), *keep_ns});
    }
  }
  if (!max_bytes.empty()) {
    const Result<uint64_t> bytes = ParseByteCount(max_bytes);
    if (!bytes.ok()) return bytes.error().Within("invalid parameter \"max_bytes\"");
    options->max_bytes = *bytes;
  }
  return {};
}

// What the parameters tier= say.
Status ChangeTiers(const Request& request, DatabaseOptions* options) {
  const std::vector<std::string_view> texts = request.params.All("tier");
  if (texts.empty()) return InvalidArgument("parameter \"tier\" is missing: WIDTH:KEEP such as 5m:90d");
  options->tiers.clear();
  for (const std::string_view text : texts) {
    if (text == "none" && texts.size() == 1) break;
    const Result<storage::RollupTier> tier = ParseTier(text);
    if (!tier.ok()) {
      Error error = tier.error().Within("invalid parameter \"tier\"");
      error.message += "; it is WIDTH:KEEP, as 5m:90d or 1h:inf";
      return error;
    }
    options->tiers.push_back(*tier);
  }
  std::sort(options->tiers.begin(), options->tiers.end(),
            [](const auto& a, const auto& b) { return a.width_ns < b.width_ns; });
  return {};
}

// What would go if the options were changed so.
Response TryOptions(const storage::Store& store, const Request& request, const storage::Store::OptionsChange& change) {
  const std::string database = DatabaseOf(request);
  Result<DatabaseOptions> options = OptionsOf(store, database);
  if (!options.ok()) return Fail(options.error());
  if (const Status changed = change(&*options); !changed.ok()) return Fail(changed.error());
  const Result<storage::RetentionReport> plan = store.PlanRetention(database, *options);
  if (!plan.ok()) return Fail(plan.error());
  return Succeed("{" + RetentionJson(database, *options) + PlanJson(*plan, /*dry_run=*/true, plan->partitions) + "}");
}

Result<DatabaseOptions> ChangeOptions(storage::Store* store, const std::string& database,
                                      const storage::Store::OptionsChange& change) {
  // In the words of the other acts.
  if (!store->HasDatabase(database)) return NoDatabase(database);
  return store->ChangeDatabaseOptions(database, change);
}

Result<storage::DeleteRequest> ParseDelete(const Request& request) {
  storage::DeleteRequest out;
  const std::vector<std::string_view> matches = Matches(request);
  if (matches.empty()) return InvalidArgument("no match[] parameter provided");
  for (const std::string_view text : matches) {
    Result<std::vector<model::Matcher>> matchers = query::promql::ParseSelector(text);
    if (!matchers.ok()) return matchers.error().Within("invalid parameter \"match[]\"");
    out.selectors.push_back(std::move(matchers).value());
  }
  // Others' series stay, whatever the selectors find.
  out.selectors = storage::SeriesFilter::Of(request.caller->filter()).Narrow(out.selectors);
  for (const std::string_view field : request.params.All("field")) out.fields.emplace_back(field);
  // Times are milliseconds, both included: the end stands for all of its millisecond. What is beyond nanoseconds since
  // 1970 in 64 bits is beyond every point.
  if (const std::string_view text = request.params.Get("start"); !text.empty()) {
    Result<int64_t> ms = query::api::ParseTimeMs(text);
    if (!ms.ok()) return ms.error().Within("invalid parameter \"start\"");
    if (__builtin_mul_overflow(*ms, int64_t{1'000'000}, &out.range.first.ns)) {
      out.range.first = *ms < 0 ? model::Timestamp::Min() : model::Timestamp::Max();
    }
  }
  if (const std::string_view text = request.params.Get("end"); !text.empty()) {
    Result<int64_t> ms = query::api::ParseTimeMs(text);
    if (!ms.ok()) return ms.error().Within("invalid parameter \"end\"");
    if (__builtin_mul_overflow(*ms, int64_t{1'000'000}, &out.range.last.ns) ||
        __builtin_add_overflow(out.range.last.ns, int64_t{999'999}, &out.range.last.ns)) {
      out.range.last = *ms < 0 ? model::Timestamp::Min() : model::Timestamp::Max();
    }
  }
  if (out.range.empty()) return InvalidArgument("the end lies before the start");
  out.dry_run = request.params.IsOn("dry_run");
  return out;
}

}  // namespace

admin::ActHandlers<AdminService> AdminService::Handlers() {
  static constexpr admin::ActHandler<AdminService> kHandlers[] = {
      {"retention set", &AdminService::SetRetention},
      {"retention show", &AdminService::ShowRetention},
      {"rollup set", &AdminService::SetRollup},
      {"types set", &AdminService::SetTypes},
      {"types show", &AdminService::ShowTypes},
      {"delete", &AdminService::Delete},
      {"tsdb delete_series", &AdminService::DeleteSeries},
      {"tsdb clean_tombstones", &AdminService::CleanTombstones},
      {"databases", &AdminService::ShowDatabases},
      {"partitions", &AdminService::ShowPartitions},
      {"rejections", &AdminService::ShowRejections},
      {"status", &AdminService::ShowStatus},
      {"rename database", &AdminService::RenameDatabase},
      {"field show", &AdminService::ShowFields},
      {"field drop", &AdminService::DropField},
      {"checkpoint", &AdminService::Checkpoint},
      {"reload", &AdminService::ReloadSettings},
      {"clock show", &AdminService::ShowClock},
      {"clock accept", &AdminService::AcceptClock},
      {"import rows", &AdminService::Import},
      {"cardinality", &AdminService::ShowCardinality},
  };
  return kHandlers;
}

Response AdminService::Import(Request& request) const {
  return ImportRows(store_, DatabaseOf(request), request.body.view());
}

Response AdminService::ShowClock(Request& /*request*/) const {
  const storage::RetentionTime time = store_->ReadClock();
  std::string data = R"({"trustedTime":")";
  text::AppendRfc3339(&data, time.trusted.ns);
  data += R"(","machineTime":")";
  text::AppendRfc3339(&data, time.machine.ns);
  data += fmt::format(R"(","jumped":{},"agreedSeconds":{},"followedAfterSeconds":{}}})", time.jumped,
                      time.agreed_ns / 1'000'000'000, time.confirmed_after_ns / 1'000'000'000);
  return Succeed(std::move(data));
}

Response AdminService::AcceptClock(Request& request) const {
  if (const Status accepted = store_->AcceptClock(); !accepted.ok()) return Fail(accepted.error());
  return ShowClock(request);
}

Response AdminService::SetRetention(Request& request) const {
  const auto change = [&request](DatabaseOptions* options) { return ChangeRetention(request, options); };
  if (request.params.IsOn("dry_run")) return TryOptions(*store_, request, change);
  const std::string database = DatabaseOf(request);
  storage::RetentionReport plan;
  const auto change_and_plan = [&](DatabaseOptions* options) -> Status {
    TM_RETURN_IF_ERROR(change(options));
    TM_TRY_ASSIGN(plan, store_->PlanRetention(database, *options));
    return {};
  };
  const Result<DatabaseOptions> options = ChangeOptions(store_, database, change_and_plan);
  if (!options.ok()) return Fail(options.error());
  // It is in force now, whatever comes of what follows: background work does it again every minute.
  const Result<uint64_t> dropped = store_->ApplyRetention();
  std::string data = "{" + RetentionJson(database, *options);
  data += PlanJson(plan, /*dry_run=*/false, dropped.ok() ? *dropped : 0) + "}";
  if (dropped.ok()) return Succeed(std::move(data));
  std::string warning;
  AppendJsonString(&warning,
                   "the retention is in force; what it no longer keeps could not be dropped yet, which is "
                   "tried again every minute: " +
                       dropped.error().message);
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + R"(,"warnings":[)" + warning + "]}");
}

Response AdminService::ShowRetention(Request& request) const {
  const std::string database = DatabaseOf(request);
  const Result<DatabaseOptions> options = OptionsOf(*store_, database);
  if (!options.ok()) return Fail(options.error());
  return Succeed("{" + RetentionJson(database, *options) + "}");
}

Response AdminService::SetRollup(Request& request) const {
  const auto change = [&request](DatabaseOptions* options) { return ChangeTiers(request, options); };
  if (request.params.IsOn("dry_run")) return TryOptions(*store_, request, change);
  const std::string database = DatabaseOf(request);
  const Result<DatabaseOptions> options = ChangeOptions(store_, database, change);
  if (!options.ok()) return Fail(options.error());
  return Succeed("{" + RetentionJson(database, *options) + "}");
}

Response AdminService::SetTypes(Request& request) const {
  const Result<model::TypeConflicts> wanted = ParseTypeConflicts(request.params.Get("conflicts"));
  if (!wanted.ok()) return Fail(wanted.error());
  const std::string database = DatabaseOf(request);
  const Result<DatabaseOptions> options = ChangeOptions(store_, database, [&wanted](DatabaseOptions* change) -> Status {
    change->type_conflicts = *wanted;
    return {};
  });
  if (!options.ok()) return Fail(options.error());
  return Succeed(TypesJson(database, options->type_conflicts));
}

Response AdminService::ShowTypes(Request& request) const {
  const std::string database = DatabaseOf(request);
  const Result<DatabaseOptions> options = OptionsOf(*store_, database);
  if (!options.ok()) return Fail(options.error());
  return Succeed(TypesJson(database, options->type_conflicts));
}

Response AdminService::Delete(Request& request) const {
  Result<storage::DeleteRequest> wanted = ParseDelete(request);
  if (!wanted.ok()) return Fail(wanted.error());
  const std::string database = DatabaseOf(request);
  const Result<storage::DeleteReport> report = store_->Delete(database, *wanted);
  if (!report.ok()) return Fail(report.error());
  std::string data = R"({"database":)";
  AppendJsonString(&data, database);
  data += fmt::format(R"(,"dryRun":{},"deleted":{}}})", wanted->dry_run, ReportJson(*report));
  return Succeed(std::move(data));
}

Response AdminService::DeleteSeries(Request& request) const {
  Result<storage::DeleteRequest> wanted = ParseDelete(request);
  if (!wanted.ok()) return Fail(wanted.error());
  wanted->dry_run = false;
  wanted->fields.clear();
  const std::string database = DatabaseOf(request);
  const Result<storage::DeleteReport> report = store_->Delete(database, *wanted);
  // A server that has taken no point yet has nothing to delete, as in Prometheus.
  const bool nothing =
      !report.ok() && report.error().code == ErrorCode::kNotFound && database == storage::kDefaultDatabase;
  if (!report.ok() && !nothing) return Fail(report.error());
  return NoContent();
}

Response AdminService::CleanTombstones(Request& request) const {
  const std::string database = DatabaseOf(request);
  if (!store_->HasDatabase(database)) {
    if (database == storage::kDefaultDatabase) return NoContent();
    return Fail(ErrorType::kNotFound, fmt::format("database not found: \"{}\"", database));
  }
  const Result<storage::CompactionProgress> done =
      store_->Compact(database, request.stop, [](const storage::CompactionProgress&) {});
  if (!done.ok()) return Fail(done.error());
  if (!done->left.empty()) {
    const storage::PartitionLeft& first = done->left.front();
    return Fail(
        ErrorType::kInternal,
        fmt::format("all was compacted but {} that cannot be read, the first from {} to {}: {}; `tidemark admin "
                    "verify` names what is damaged",
                    text::Counted(done->left.size(), "partition"), text::PrintSecond(first.bounds.first.ns),
                    text::PrintSecond(first.bounds.last.ns), first.why));
  }
  return NoContent();
}

Response AdminService::ShowDatabases(Request&) const {
  std::string data = "[";
  for (const storage::DatabaseInfo& info : store_->Databases()) {
    if (data.size() > 1) data += ',';
    data += R"({"database":)";
    AppendJsonString(&data, info.name);
    data += fmt::format(
        R"(,"retentionSeconds":{},"partitionSeconds":{},"syncIntervalSeconds":{},"typeConflicts":"{}","series":{},"fields":{},"partitions":{},"diskBytes":{}}})",
        info.options.retention_ns / 1'000'000'000, info.options.partition_ns / 1'000'000'000,
        static_cast<double>(info.options.sync_interval_ns) * 1e-9, NameOf(info.options.type_conflicts), info.series,
        info.fields, info.partitions, info.disk_bytes);
  }
  return Succeed(data + ']');
}

// What is called the source of rows that this process made itself.
constexpr std::string_view kOwnSource = "tidemark";

Response AdminService::ShowRejections(Request& request) const {
  size_t limit = 100;
  if (const std::string_view text = request.params.Get("limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Fail(ErrorType::kBadData, fmt::format("limit: \"{}\" is not a whole number", text));
    }
  }
  const bool all = request.database.empty() && request.params.Get("db").empty();
  const std::string database = DatabaseOf(request);
  const std::string_view source = request.params.Get("source");
  int64_t since_ms = std::numeric_limits<int64_t>::min();
  int64_t until_ms = std::numeric_limits<int64_t>::max();
  for (const auto& [name, out] : {std::pair("start", &since_ms), std::pair("end", &until_ms)}) {
    const std::string_view text = request.params.Get(name);
    if (text.empty()) continue;
    Result<int64_t> ms = query::api::ParseTimeMs(text);
    if (!ms.ok()) return Fail(ms.error().Within(fmt::format("invalid parameter \"{}\"", name)));
    *out = *ms;
  }
  if (since_ms > until_ms) return Fail(ErrorType::kBadData, "the end lies before the start");
  std::string data = "[";
  for (const write_path::LoggedRejection& rejection : rejections_->Newest(std::numeric_limits<size_t>::max())) {
    if (!all && rejection.database != database) continue;
    const std::string_view by = rejection.source.empty() ? kOwnSource : std::string_view(rejection.source);
    const int64_t ms = rejection.at.ns / 1'000'000;
    if ((!source.empty() && source != by) || ms < since_ms || ms > until_ms) continue;
    if (limit-- == 0) break;
    if (data.size() > 1) data += ',';
    data += fmt::format(R"({{"number":{},"time":")", rejection.number);
    text::AppendRfc3339(&data, rejection.at.ns);
    data += R"(","source":)";
    AppendJsonString(&data, by);
    data += R"(,"sender":)";
    AppendJsonString(&data, rejection.sender);
    data += R"(,"database":)";
    AppendJsonString(&data, rejection.database);
    data += fmt::format(R"(,"line":{},"reason":"{}","message":)", rejection.line, Phrase(rejection.error.code));
    AppendJsonString(&data, rejection.error.message);
    data += '}';
  }
  return Succeed(data + ']');
}

Response AdminService::Checkpoint(Request&) const {
  if (const Status done = store_->Checkpoint(); !done.ok()) return Fail(done.error());
  const storage::StoreStats stats = store_->Stats();
  return Succeed(fmt::format(R"({{"checkpoints":{},"diskBytes":{}}})", stats.checkpoints, stats.disk_bytes));
}

Response AdminService::ReloadSettings(Request&) const {
  const Result<Reloaded> done = reload_();
  // 500 and these words, as Prometheus.
  if (!done.ok()) return Fail(ErrorType::kInternal, "failed to reload config: " + done.error().message);
  std::string data = fmt::format(R"({{"rules":{},"changed":)", done->rules);
  query::api::AppendStrings(&data, done->changed);
  data += R"(,"needRestart":)";
  query::api::AppendStrings(&data, done->need_restart);
  return Succeed(data + '}');
}

}  // namespace tidemark::server
