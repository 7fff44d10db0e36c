#include "tools/server/influx/influx_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "query/api/json.h"
#include "query/influxql/name_match.h"
#include "query/influxql/parser.h"
#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "storage/model/field.h"
#include "storage/model/labels.h"
#include "storage/model/limits.h"
#include "tools/server/influx/influx_reply.h"

namespace tidemark::server {
namespace {

namespace influxql = query::influxql;
using http::Request;
using http::Response;
using text::AppendJsonString;

Error DatabaseNotFound(std::string_view name) { return NotFound(fmt::format("database not found: {}", name)); }

// {"name":...,"columns":["name"],"values":[["a"],["b"]]}; nothing for no names when `or_nothing`.
std::string NamesSeries(std::string_view series, const std::vector<std::string>& names, bool or_nothing) {
  if (names.empty() && or_nothing) return {};
  std::string out = R"("series":[{"name":)";
  AppendJsonString(&out, series);
  out += R"(,"columns":["name"])";
  if (!names.empty()) {
    out += R"(,"values":[)";
    for (size_t i = 0; i < names.size(); ++i) {
      out += i > 0 ? ",[" : "[";
      AppendJsonString(&out, names[i]);
      out += ']';
    }
    out += ']';
  }
  return out + "}]";
}

// The fields of each measurement.
using Measurements = std::map<std::string, std::vector<storage::FieldDescription>>;

// Those that `matcher` takes; all without one.
Result<Measurements> MeasurementsOf(const storage::View& view, const std::optional<model::Matcher>& matcher) {
  Measurements all;
  for (storage::FieldDescription& field : view.Fields()) all[field.measurement].push_back(std::move(field));
  if (!matcher) return all;
  std::vector<std::string> names;
  for (const auto& [name, fields] : all) names.push_back(name);
  TM_TRY_ASSIGN(const std::vector<std::string> kept, influxql::Filter(*matcher, names));
  std::erase_if(all, [&](const auto& entry) { return !std::ranges::binary_search(kept, entry.first); });
  return all;
}

// The series of one measurement that satisfy `where`.
std::vector<model::Matcher> SeriesOf(const std::vector<storage::FieldDescription>& fields,
                                     const std::vector<model::Matcher>& where) {
  std::vector<std::string> metrics;
  for (const storage::FieldDescription& field : fields) metrics.push_back(field.metric);
  std::vector<model::Matcher> out = where;
  out.push_back(influxql::OneOf(std::string(model::kMetricNameLabel), metrics));
  return out;
}

// Rows of two columns, or of one where the second is not wanted.
struct Rows {
  std::vector<std::pair<std::string, std::string>> rows;
  bool two = true;
};

// What LIMIT and OFFSET leave of a list.
template <typename T>
void Cut(uint64_t limit, uint64_t offset, std::vector<T>* list) {
  list->erase(list->begin(), list->begin() + static_cast<std::ptrdiff_t>(std::min<uint64_t>(offset, list->size())));
  if (limit != 0 && list->size() > limit) list->resize(limit);
}

Result<Rows> RowsOf(const storage::View& view, const influxql::ShowKeys& show,
                    const std::vector<storage::FieldDescription>& fields) {
  using What = influxql::ShowKeys::What;
  Rows out;
  if (show.what == What::kFieldKeys) {
    for (const storage::FieldDescription& field : fields) out.rows.emplace_back(field.field, model::Name(field.type));
    std::ranges::sort(out.rows);
    return out;
  }
  const std::vector<model::Matcher> series = SeriesOf(fields, show.where);
  TM_TRY_ASSIGN(std::vector<std::string> keys, view.LabelNames(series, {}));
  std::erase(keys, model::kMetricNameLabel);
  if (show.what == What::kTagKeys) {
    out.two = false;
    for (std::string& key : keys) out.rows.emplace_back(std::move(key), "");
    return out;
  }
  if (show.key_match) {
    TM_TRY_ASSIGN(keys, influxql::Filter(*show.key_match, keys));
  } else {
    std::erase_if(keys, [&](const std::string& key) { return std::ranges::find(show.keys, key) == show.keys.end(); });
  }
  for (const std::string& key : keys) {
    TM_TRY_ASSIGN(const std::vector<std::string> values, view.LabelValues(key, series, {}));
    for (const std::string& value : values) out.rows.emplace_back(key, value);
  }
  return out;
}

Result<std::string> ShowMeasurements(const storage::View& view, const influxql::ShowMeasurements& show) {
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, show.name));
  std::vector<std::string> names;
  for (const auto& [name, fields] : measurements) {
    if (!show.where.empty()) {
      TM_TRY_ASSIGN(const std::vector<model::SeriesRef> refs,
                    view.Select(SeriesOf(fields, show.where), {}, {.strings = true}));
      if (refs.empty()) continue;
    }
    names.push_back(name);
  }
  Cut(show.limit, show.offset, &names);
  return NamesSeries("measurements", names, true);
}

// One series for each measurement that has any: {"name":...,"columns":["key","value"],"values":[["host","a"]]}.
Result<std::string> ShowKeys(const storage::View& view, const influxql::ShowKeys& show) {
  constexpr std::string_view kColumns[] = {R"("fieldKey","fieldType")", R"("tagKey")", R"("key","value")"};
  TM_TRY_ASSIGN(const Measurements measurements, MeasurementsOf(view, show.from));
  std::string out;
  for (const auto& [name, fields] : measurements) {
    TM_TRY_ASSIGN(Rows rows, RowsOf(view, show, fields));
    Cut(show.limit, show.offset, &rows.rows);
    if (rows.rows.empty()) continue;
    out += out.empty() ? R"("series":[{"name":)" : R"(,{"name":)";
    AppendJsonString(&out, name);
    out += fmt::format(R"(,"columns":[{}],"values":[)", kColumns[static_cast<size_t>(show.what)]);
    for (size_t i = 0; i < rows.rows.size(); ++i) {
      out += i > 0 ? ",[" : "[";
      AppendJsonString(&out, rows.rows[i].first);
      if (rows.two) {
        out += ',';
        AppendJsonString(&out, rows.rows[i].second);
      }
      out += ']';
    }
    out += "]}";
  }
  return out.empty() ? out : out + "]";
}

// 720h0m0s, 0s.
std::string GoDuration(int64_t ns) { return text::PrintDuration(ns / 1'000'000, text::DurationStyle::kGo); }

// What a caller must have the right to do: making a database is what a write to it would do.
http::Access RightOf(const influxql::Statement& statement) {
  if (influxql::IsReadOnly(statement)) return http::Access::kRead;
  return std::holds_alternative<influxql::CreateDatabase>(statement) ? http::Access::kWrite : http::Access::kAdmin;
}

// An Error where the caller has no right to what a statement is about.
Status CheckCaller(const http::Caller& caller, const influxql::Statement& statement, std::string_view database) {
  const http::Access right = RightOf(statement);
  const std::string_view named = influxql::DatabaseOf(statement);
  const std::string_view about = named.empty() ? database : named;
  // Of SHOW DATABASES the caller sees what he may read. Without a database the statement says that it lacks one.
  if (std::holds_alternative<influxql::ShowDatabases>(statement) || about.empty() || caller.May(right, about))
    return {};
  return InvalidArgument(fmt::format("\"{}\" has no right to {} the database \"{}\"", caller.name(),
                                     right == http::Access::kAdmin ? "administer" : http::Name(right), about));
}

}  // namespace

InfluxService::InfluxService(storage::Store* store, storage::DatabaseOptions defaults, std::string version)
    : store_(store), defaults_(defaults), version_(std::move(version)) {}

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
  const bool details = request.caller->MaySomewhere(http::Access::kRead);
  std::string body = R"({"name":"tidemark","message":)";
  AppendJsonString(&body, stats.read_only ? "writes are refused" + (details ? ": " + stats.read_only_reason : "")
                                          : std::string("ready for queries and writes"));
  body += fmt::format(R"(,"status":"{}","checks":{},"version":)", stats.read_only ? "fail" : "pass",
                      ChecksOf(store_->Findings()));
  AppendJsonString(&body, version_);
  body += "}\n";
  Response response = http::JsonResponse(stats.read_only ? 503 : 200, std::move(body));
  AddInfluxHeaders(request, &response);
  return response;
}

Result<std::string> InfluxService::Run(const influxql::Statement& statement, const std::string& database,
                                       const http::Caller& caller) const {
  if (const auto* create = std::get_if<influxql::CreateDatabase>(&statement)) {
    // As for a write that makes a database: what is made here must be a name that can be written to.
    TM_RETURN_IF_ERROR(model::CheckDatabaseName(create->name));
    storage::DatabaseOptions options = defaults_;
    options.retention_ns = create->retention_ns.value_or(options.retention_ns);
    const Status created = store_->CreateDatabase(create->name, options);
    if (!created.ok() && created.error().code != ErrorCode::kAlreadyExists) return created.error();
    return std::string();
  }
  if (const auto* drop = std::get_if<influxql::DropDatabase>(&statement)) {
    const Status dropped = store_->DropDatabase(drop->name);
    if (!dropped.ok() && dropped.error().code != ErrorCode::kNotFound) return dropped.error();
    return std::string();
  }
  if (std::holds_alternative<influxql::ShowDatabases>(statement)) {
    std::vector<std::string> names;
    for (const storage::DatabaseInfo& info : store_->Databases()) {
      if (caller.May(http::Access::kRead, info.name)) names.push_back(info.name);
    }
    return NamesSeries("databases", names, false);
  }
  if (const auto* show = std::get_if<influxql::ShowRetentionPolicies>(&statement)) {
    const std::string& name = show->database.empty() ? database : show->database;
    if (name.empty()) return InvalidArgument("database name required");
    for (const storage::DatabaseInfo& info : store_->Databases()) {
      if (info.name != name) continue;
      return fmt::format(R"("series":[{{"columns":["name","duration","shardGroupDuration","replicaN","default"],)"
                         R"("values":[["autogen","{}","{}",1,true]]}}])",
                         GoDuration(info.options.retention_ns), GoDuration(info.options.partition_ns));
    }
    return DatabaseNotFound(name);
  }
  const auto* measurements = std::get_if<influxql::ShowMeasurements>(&statement);
  const auto* keys = std::get_if<influxql::ShowKeys>(&statement);
  const std::string& shown = measurements != nullptr ? measurements->database : keys->database;
  const std::string& name = shown.empty() ? database : shown;
  if (name.empty()) return InvalidArgument("database name required");
  const Result<std::shared_ptr<const storage::View>> view = store_->OpenView(name);
  if (!view.ok()) return view.error().code == ErrorCode::kNotFound ? DatabaseNotFound(name) : view.error();
  return measurements != nullptr ? ShowMeasurements(**view, *measurements) : ShowKeys(**view, *keys);
}

Response InfluxService::Query(Request& request) const {
  const auto answer = [&]() -> Response {
    const std::string_view text = request.params.Get("q");
    if (text.empty()) return InfluxError(400, "missing required parameter \"q\"");
    const Result<std::vector<influxql::Statement>> statements = influxql::Parse(text);
    if (!statements.ok()) return InfluxError(400, statements.error().message);
    if (statements->size() > kStatementsMax) {
      return InfluxError(400,
                         fmt::format("{} statements, more than {} in one request", statements->size(), kStatementsMax));
    }
    const std::string database = request.database.empty() ? std::string(request.params.Get("db")) : request.database;
    std::string body = R"({"results":[)";
    size_t id = 0;
    bool failed = false;
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
      } else if (request.method != http::Method::kPost && !influxql::IsReadOnly(statement)) {
        series = InvalidArgument("a statement that changes something must be sent with POST");
      } else {
        const Status may = CheckCaller(*request.caller, statement, database);
        series = may.ok() ? Run(statement, database, *request.caller) : Result<std::string>(may.error());
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
