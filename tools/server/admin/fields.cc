// The acts "field show" and "field drop".
#include <fmt/core.h>

#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "query/api/json.h"
#include "storage/base/text/json_string.h"
#include "storage/model/field.h"
#include "tools/server/admin/admin_service.h"
#include "tools/server/admin/database_of.h"

namespace tidemark::server {
namespace {

using query::api::ErrorReply;
using query::api::ErrorType;

http::Response Answer(query::api::Reply reply) { return http::JsonResponse(reply.status, std::move(reply.body)); }

void AppendKey(std::string* out, std::string_view key, std::string_view value) {
  *out += fmt::format(R"({}"{}":)", out->back() == '{' ? "" : ",", key);
  text::AppendJsonString(out, value);
}

// Without braces at its end. Types that the name had before, the first one first: their points are there still.
std::string FieldJson(const storage::FieldDescription& field, const storage::View& view) {
  std::string out = "{";
  AppendKey(&out, "measurement", field.measurement);
  AppendKey(&out, "field", field.field);
  AppendKey(&out, "metric", field.metric);
  AppendKey(&out, "type", model::Name(field.type));
  std::vector<std::string> older;
  for (const model::FieldId id : field.older) older.emplace_back(model::Name(view.TypeOf(id)));
  out += R"(,"olderTypes":)";
  query::api::AppendStrings(&out, older);
  return out + fmt::format(R"(,"series":{})", field.series);
}

}  // namespace

http::Response AdminService::ShowFields(http::Request& request) const {
  const auto view = store_->OpenView(DatabaseOf(request), storage::SeriesFilter::Of(request.caller->filter()));
  if (!view.ok()) return Answer(ErrorReply(view.error()));
  const std::string_view measurement = request.params.Get("measurement");
  const std::string_view name = request.params.Get("field");
  std::string data = "[";
  for (const storage::FieldDescription& field : (*view)->Fields()) {
    if ((!measurement.empty() && field.measurement != measurement) || (!name.empty() && field.field != name)) continue;
    if (data.size() > 1) data += ',';
    data += FieldJson(field, **view) + "}";
  }
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + "]}");
}

http::Response AdminService::DropField(http::Request& request) const {
  const std::string database = DatabaseOf(request);
  const std::string_view measurement = request.params.Get("measurement");
  const std::string_view name = request.params.Get("field");
  if (measurement.empty() || name.empty()) {
    return Answer(ErrorReply(ErrorType::kBadData, "parameters \"measurement\" and \"field\" say which field goes"));
  }
  const auto view = store_->OpenView(database, storage::SeriesFilter::Of(request.caller->filter()));
  if (!view.ok()) return Answer(ErrorReply(view.error()));
  std::optional<storage::FieldDescription> found;
  for (storage::FieldDescription& field : (*view)->Fields()) {
    if (field.measurement == measurement && field.field == name) found = std::move(field);
  }
  if (!found) {
    return Answer(
        ErrorReply(ErrorType::kNotFound,
                   fmt::format("the measurement \"{}\" of database \"{}\" has no field \"{}\": `tidemark admin "
                               "field show {}` lists those that there are",
                               measurement, database, name, database)));
  }
  storage::DeleteRequest wanted;
  wanted.selectors.push_back({{model::MatchOp::kEqual, std::string(model::kMetricNameLabel), found->metric}});
  wanted.selectors = storage::SeriesFilter::Of(request.caller->filter()).Narrow(wanted.selectors);
  wanted.fields.emplace_back(name);
  wanted.dry_run = request.params.IsOn("dry_run");
  const auto report = store_->Delete(database, wanted);
  if (!report.ok()) return Answer(ErrorReply(report.error()));
  std::string data = FieldJson(*found, **view);
  AppendKey(&data, "database", database);
  data += fmt::format(R"(,"dryRun":{},"deleted":{{"series":{},"rows":{},"bytes":{}}}}})", wanted.dry_run,
                      report->series, report->rows, report->bytes);
  return http::JsonResponse(200, R"({"status":"success","data":)" + data + "}");
}

}  // namespace tidemark::server
