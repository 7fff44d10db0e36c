#include "tools/server/influx/influx_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "query/api/json.h"
#include "query/influxql/parser.h"
#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "storage/model/limits.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/influx/drop_database.h"
#include "tools/server/influx/influx_reply.h"
#include "tools/server/influx/influx_shows.h"

namespace tidemark::server {
namespace {

namespace influxql = query::influxql;
using http::Request;
using http::Response;
using text::AppendJsonString;

constexpr std::string_view kTimedOut =
    "the statements timed out (query.timeout); ask for fewer of them, add LIMIT, or narrow WHERE";

Error DatabaseNotFound(std::string_view name) { return NotFound(fmt::format("database not found: {}", name)); }

// 720h0m0s, 0s.
std::string GoDuration(int64_t ns) { return text::PrintDuration(ns / 1'000'000, text::DurationStyle::kGo); }

// What a caller must have the right to do: making a database is what a write to it would do.
http::Access RightOf(const influxql::Statement& statement) {
  if (influxql::IsReadOnly(statement)) return http::Access::kRead;
  return std::holds_alternative<influxql::CreateDatabase>(statement) ? http::Access::kWrite : http::Access::kAdmin;
}

// Names a statement that changes something among the acts of its request: `DROP DATABASE x: done`. What else it says is
// in the parameter `q`.
void NoteAct(const influxql::Statement& statement, std::string_view database, bool done, std::string* act) {
  if (influxql::IsReadOnly(statement)) return;
  constexpr std::string_view kPolicy[] = {"CREATE RETENTION POLICY", "ALTER RETENTION POLICY", "DROP RETENTION POLICY"};
  std::string_view words = "DELETE";
  if (std::holds_alternative<influxql::CreateDatabase>(statement)) words = "CREATE DATABASE";
  if (std::holds_alternative<influxql::DropDatabase>(statement)) words = "DROP DATABASE";
  if (const auto* change = std::get_if<influxql::ChangeRetentionPolicy>(&statement)) {
    words = kPolicy[static_cast<size_t>(change->what)];
  }
  const std::string_view named = influxql::DatabaseOf(statement);
  *act += fmt::format("{}{} {}: {}", act->empty() ? "" : "; ", words, named.empty() ? database : named,
                      done ? "done" : "failed");
}

// Whether a statement is about a database as a whole, of which a caller with a filter may have a part only.
bool IsOfWhole(const influxql::Statement& statement) {
  return std::holds_alternative<influxql::DropDatabase>(statement) ||
         std::holds_alternative<influxql::ChangeRetentionPolicy>(statement);
}

// An Error where the caller has no right to what a statement is about.
Status CheckCaller(const http::Caller& caller, const influxql::Statement& statement, std::string_view database) {
  const http::Access right = RightOf(statement);
  const std::string_view named = influxql::DatabaseOf(statement);
  const std::string_view about = named.empty() ? database : named;
  if (caller.filter() != nullptr && IsOfWhole(statement)) {
    return InvalidArgument(fmt::format(
        "\"{}\" sees the series of its filter only, and this is about all series of a database", caller.name()));
  }
  // Of SHOW DATABASES the caller sees what he may read. Without a database the statement says that it lacks one.
  if (std::holds_alternative<influxql::ShowDatabases>(statement) || about.empty() || caller.May(right, about))
    return {};
  return InvalidArgument(fmt::format("\"{}\" has no right to {} the database \"{}\"", caller.name(),
                                     right == http::Access::kAdmin ? "administer" : http::Name(right), about));
}

}  // namespace

InfluxService::InfluxService(storage::Store* store, PolicyBook* policies, const Clock* clock,
                             storage::DatabaseOptions defaults, std::string version, OpenWatch open_watch,
                             DeadlineOf deadline_of)
    : store_(store),
      policies_(policies),
      clock_(clock),
      started_ns_(clock->NowNs()),
      started_steady_ns_(clock->SteadyNs()),
      defaults_(std::move(defaults)),
      version_(std::move(version)),
      open_watch_(std::move(open_watch)),
      deadline_of_(std::move(deadline_of)) {}

Response InfluxService::Ping(Request& request) const {
  Response response;
  response.status = 204;
  if (request.params.IsOn("verbose")) {
    response = http::JsonResponse(200, fmt::format("{{\"version\":\"{}\"}}\n", kInfluxVersion));
  }
  AddInfluxHeaders(request, &response);
  return response;
}

namespace {

void AppendOptional(std::string* out, std::string_view name, const std::optional<uint64_t>& value) {
  if (value) *out += fmt::format(R"(,"{}":{})", name, *value);
}

void AppendOptional(std::string* out, std::string_view name, const std::optional<model::Timestamp>& value) {
  if (!value) return;
  *out += fmt::format(R"(,"{}":")", name);
  text::AppendRfc3339(out, value->ns);
  *out += '"';
}

// What of the store is not as it was written, in the form of InfluxDB's checks with the numbers beside.
std::string ChecksOf(const std::vector<model::Finding>& findings) {
  std::string out = "[";
  for (const model::Finding& finding : findings) {
    out += out.size() > 1 ? R"(,{"name":)" : R"({"name":)";
    AppendJsonString(&out, model::NameOf(finding.area));
    out += fmt::format(R"(,"status":"{}","message":)", finding.accepted ? "pass" : "fail");
    AppendJsonString(&out, model::Describe(finding));
    if (!finding.remedy.empty()) {
      out += R"(,"remedy":)";
      AppendJsonString(&out, finding.remedy);
    }
    if (finding.loss) {
      out += fmt::format(R"(,"proven":{})", finding.loss->proven);
      AppendOptional(&out, "missing_rows", finding.loss->rows);
      AppendOptional(&out, "missing_records", finding.loss->records);
      AppendOptional(&out, "since", finding.loss->since);
      AppendOptional(&out, "until", finding.loss->until);
    }
    AppendOptional(&out, "accepted", finding.accepted);
    out += '}';
  }
  return out + "]";
}

}  // namespace

Response InfluxService::Health(Request& request) const {
  const storage::StoreStats stats = store_->Stats();
  // Who has not shown a token learns that something is wrong, not what.
  const bool details = request.caller->MaySomewhere(http::Access::kRead) && request.caller->filter() == nullptr;
  std::string body = R"({"name":"tidemark","message":)";
  AppendJsonString(&body, stats.read_only ? "writes are refused" + (details ? ": " + stats.read_only_reason : "")
                                          : std::string("ready for queries and writes"));
  body += fmt::format(R"(,"status":"{}","checks":{})", stats.read_only ? "fail" : "pass",
                      details ? ChecksOf(store_->Findings()) : "[]");
  if (details) {
    body += fmt::format(R"(,"reserve":{{"bytes":{},"wanted_bytes":{},"in_use":{}}})", stats.reserve_bytes,
                        stats.reserve_wanted_bytes, stats.reserve_in_use);
    body += R"(,"version":)";
    AppendJsonString(&body, version_);
  }
  body += "}\n";
  Response response = http::JsonResponse(stats.read_only ? 503 : 200, std::move(body));
  AddInfluxHeaders(request, &response);
  return response;
}

Response InfluxService::Ready() const {
  std::string started;
  text::AppendRfc3339(&started, started_ns_);
  return http::JsonResponse(200, fmt::format("{{\"status\":\"ready\",\"started\":\"{}\",\"up\":\"{}\"}}\n", started,
                                             GoDuration(clock_->SteadyNs() - started_steady_ns_)));
}

namespace {

class Unwatched final : public query::names::NamesWatch {
 public:
  Status Look(uint64_t) override { return {}; }
  [[nodiscard]] size_t series_max() const override { return 0; }
};

}  // namespace

Result<std::string> InfluxService::Run(const influxql::Statement& statement, const std::string& database,
                                       const Request& request) const {
  const http::Caller& caller = *request.caller;
  const storage::SeriesFilter held = storage::SeriesFilter::Of(caller.filter());
  if (const auto* create = std::get_if<influxql::CreateDatabase>(&statement)) return Create(*create, caller);
  if (const auto* change = std::get_if<influxql::ChangeRetentionPolicy>(&statement))
    return ChangePolicy(*change, caller);
  if (const auto* absent = std::get_if<influxql::NotServed>(&statement)) {
    return InvalidArgument(fmt::format("{} is not served here: {}", absent->words, absent->advice));
  }
  if (const auto* drop = std::get_if<influxql::DropDatabase>(&statement)) return Drop(drop->name, caller);
  if (std::holds_alternative<influxql::ShowUsers>(statement)) {
    return std::string(R"("series":[{"columns":["user","admin"]}])");
  }
  if (std::holds_alternative<influxql::ShowDatabases>(statement)) {
    std::vector<std::string> names;
    for (const storage::DatabaseInfo& info : store_->Databases()) {
      if (caller.May(http::Access::kRead, info.name)) names.push_back(info.name);
    }
    return NamesSeries("databases", names, false);
  }
  const std::string_view named = influxql::DatabaseOf(statement);
  const std::string name(named.empty() ? std::string_view(database) : named);
  if (name.empty()) return InvalidArgument("database name required");
  if (std::holds_alternative<influxql::ShowRetentionPolicies>(statement)) {
    TM_TRY_ASSIGN(const storage::DatabaseOptions options, OptionsOf(name));
    std::string policy;
    AppendJsonString(&policy, policies_->NameOf(name));
    return fmt::format(R"("series":[{{"columns":["name","duration","shardGroupDuration","replicaN","default"],)"
                       R"("values":[[{},"{}","{}",1,true]]}}])",
                       policy, GoDuration(options.retention_ns), GoDuration(options.partition_ns));
  }
  const Result<std::shared_ptr<const storage::View>> view = store_->OpenView(name, held);
  if (!view.ok()) {
    if (view.error().code != ErrorCode::kNotFound) return view.error();
    // As 1.x has it: of a database that is not there this one shows nothing, the others say so.
    if (std::holds_alternative<influxql::ShowMeasurements>(statement)) return std::string();
    return DatabaseNotFound(name);
  }
  if (const auto* drop = std::get_if<influxql::Delete>(&statement)) return DeleteFrom(**view, name, *drop, held);
  const std::unique_ptr<query::names::NamesWatch> watch =
      open_watch_ ? open_watch_(request, *view) : std::make_unique<Unwatched>();
  if (const auto* measurements = std::get_if<influxql::ShowMeasurements>(&statement)) {
    return ShowMeasurements(**view, *measurements, watch.get());
  }
  if (const auto* series = std::get_if<influxql::ShowSeries>(&statement)) {
    return ShowSeries(**view, *series, watch.get());
  }
  return ShowKeys(**view, std::get<influxql::ShowKeys>(statement), watch.get());
}

Result<storage::DatabaseOptions> InfluxService::OptionsOf(std::string_view database) const {
  for (const storage::DatabaseInfo& info : store_->Databases()) {
    if (info.name == database) return info.options;
  }
  return DatabaseNotFound(database);
}

Result<std::string> InfluxService::Drop(const std::string& database, const http::Caller& caller) const {
  const Status dropped = DropDatabase(store_, policies_, database, caller.name());
  if (!dropped.ok() && dropped.error().code != ErrorCode::kNotFound) return dropped.error();
  return std::string();
}

Result<std::string> InfluxService::Create(const influxql::CreateDatabase& create, const http::Caller& caller) const {
  // As for a write that makes a database: what is made here must be a name that can be written to.
  TM_RETURN_IF_ERROR(model::CheckDatabaseName(create.name));
  storage::DatabaseOptions options = defaults_;
  options.retention_ns = create.retention_ns.value_or(options.retention_ns);
  if (create.shard_ns.value_or(0) > 0) options.partition_ns = *create.shard_ns;
  const Status created = store_->CreateDatabase(create.name, options);
  if (created.ok()) {
    if (!create.policy.empty() && create.policy != kFirstPolicy) {
      TM_RETURN_IF_ERROR(policies_->Rename(create.name, create.policy, caller.name()));
    }
    return std::string();
  }
  if (created.error().code != ErrorCode::kAlreadyExists) return created.error();
  TM_TRY_ASSIGN(const storage::DatabaseOptions known, OptionsOf(create.name));
  if ((create.retention_ns && *create.retention_ns != known.retention_ns) ||
      (!create.policy.empty() && create.policy != policies_->NameOf(create.name))) {
    return InvalidArgument("retention policy conflicts with an existing policy");
  }
  return std::string();
}

// A database has one policy, which says how long all its points are kept. CREATE of one that is to be the default gives
// it another name.
Result<std::string> InfluxService::ChangePolicy(const influxql::ChangeRetentionPolicy& change,
                                                const http::Caller& caller) const {
  using What = influxql::ChangeRetentionPolicy::What;
  if (!store_->HasDatabase(change.database)) return DatabaseNotFound(change.database);
  const bool known = policies_->Knows(change.database, change.name);
  if (change.what == What::kDrop) {
    if (!known) return std::string();
    return InvalidArgument(
        "the one retention policy of a database cannot be dropped: to keep points for ever, ALTER it to DURATION INF");
  }
  if (change.what == What::kAlter && !known)
    return NotFound(fmt::format("retention policy not found: {}", change.name));
  constexpr int64_t kLeastNs = 3'600'000'000'000;
  if (change.retention_ns && *change.retention_ns != 0 && *change.retention_ns < kLeastNs) {
    return InvalidArgument("retention policy duration must be at least 1h0m0s");
  }
  if (change.what == What::kCreate && !known && !change.is_default) {
    const std::string policy = policies_->NameOf(change.database);
    return InvalidArgument(fmt::format(
        "retention policy \"{}\": a database has one policy, \"{}\", for all its points; change it "
        "with ALTER RETENTION POLICY \"{}\" ON \"{}\" DURATION ..., name it with CREATE ... DEFAULT, or keep "
        "some series shorter with `tidemark admin retention set {} --match ... --keep ...`",
        change.name, policy, policy, change.database, change.database));
  }
  const auto apply = [&](storage::DatabaseOptions* options) -> Status {
    const int64_t retention_ns = change.retention_ns.value_or(options->retention_ns);
    if (change.what == What::kCreate && known && retention_ns != options->retention_ns) {
      return InvalidArgument("retention policy already exists");
    }
    options->retention_ns = retention_ns;
    if (change.shard_ns.value_or(0) > 0) options->partition_ns = *change.shard_ns;
    return {};
  };
  const Result<storage::DatabaseOptions> changed = store_->ChangeDatabaseOptions(change.database, apply);
  if (!changed.ok()) return changed.error();
  if (!known) TM_RETURN_IF_ERROR(policies_->Rename(change.database, change.name, caller.name()));
  return std::string();
}

Result<std::string> InfluxService::DeleteFrom(const storage::View& view, const std::string& database,
                                              const influxql::Delete& drop, const storage::SeriesFilter& held) const {
  storage::DeleteRequest request;
  request.range = drop.where.range();
  TM_TRY_ASSIGN(Selection selection, SelectionOf(view, drop));
  request.selectors = held.Narrow(selection.selectors);
  request.fields = std::move(selection.fields);
  if (request.selectors.empty() || request.range.empty()) return std::string();
  TM_TRY_ASSIGN([[maybe_unused]] const storage::DeleteReport report, store_->Delete(database, request));
  return std::string();
}

// Whether a GET may change something: no page of another origin sends it, and it comes to this machine by its own name.
bool InfluxService::MayChangeByGet(const Request& request) {
  for (const std::string_view name :
       {"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-User"}) {
    if (!request.Header(name).empty()) return false;
  }
  const Result<http::Authority> host = http::ParseAuthority(request.Header("Host"));
  return host.ok() && http::IsLoopback(*host);
}

namespace {

// Whether the server could not do it now, so that the request as a whole is to be sent again.
bool EndsAnswer(ErrorCode code) {
  return code == ErrorCode::kTimeout || code == ErrorCode::kCancelled || code == ErrorCode::kResourceExhausted;
}

}  // namespace

Response InfluxService::Query(Request& request) const {
  const auto answer = [&]() -> Response {
    const std::string_view text = request.params.Get("q");
    if (text.empty()) return InfluxError(400, "missing required parameter \"q\"");
    const Result<std::vector<influxql::Statement>> statements = influxql::Parse(text, clock_->NowNs());
    if (!statements.ok()) return InfluxError(400, statements.error().message);
    if (statements->size() > kStatementsMax) {
      return InfluxError(400,
                         fmt::format("{} statements, more than {} in one request", statements->size(), kStatementsMax));
    }
    // All of them together: each is held to as much time, and there may be many.
    if (deadline_of_ && request.late != nullptr && std::ranges::all_of(*statements, influxql::IsReadOnly)) {
      request.late->AnswerAt(deadline_of_(), InfluxError(503, kTimedOut));
    }
    const std::string database = request.database.empty() ? std::string(request.params.Get("db")) : request.database;
    std::string body = R"({"results":[)";
    size_t id = 0;
    bool failed = false;
    const bool by_get = request.method != http::Method::kPost;
    for (const influxql::Statement& statement : *statements) {
      if (request.stop.stop_requested()) return InfluxError(503, "the client went away");
      if (body.size() > kReplyBytesMax) {
        return InfluxError(413,
                           fmt::format("the answers take more than {} bytes; send fewer statements", kReplyBytesMax));
      }
      if (id > 0) body += ',';
      body += fmt::format(R"({{"statement_id":{})", id++);
      Result<std::string> series = std::string();
      if (failed) {
        // As 1.x: what follows a statement that failed does not run.
        series = InvalidArgument("not executed");
      } else if (by_get && !influxql::IsReadOnly(statement) && !MayChangeByGet(request)) {
        series = InvalidArgument("a statement that changes something must be sent with POST");
      } else {
        const Status may = CheckCaller(*request.caller, statement, database);
        series = may.ok() ? Run(statement, database, request) : Result<std::string>(may.error());
        if (may.ok()) {
          NoteAct(statement, database, series.ok(), &request.act);
          if (!series.ok() && EndsAnswer(series.error().code)) return InfluxError(503, series.error().message);
        } else {
          request.refusal = may.error().message;
        }
      }
      if (by_get && series.ok() && !influxql::IsReadOnly(statement)) {
        body +=
            R"(,"messages":[{"level":"warning","text":"deprecated use of a GET request for a statement that changes something, please use a POST request instead"}])";
      }
      if (!series.ok()) {
        failed = true;
        body += R"(,"error":)";
        AppendJsonString(&body, series.error().message);
      } else if (!series->empty()) {
        body += ',';
        body += *series;
      }
      body += '}';
    }
    body += "]}\n";
    return http::JsonResponse(200, std::move(body));
  };
  Response response = answer();
  AddInfluxHeaders(request, &response);
  return response;
}

}  // namespace tidemark::server
