#include "tools/server/quota/quota_service.h"

#include <fmt/core.h>

#include <string_view>

#include "query/api/envelope.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server::quota {
namespace {

using http::Request;
using http::Response;
using text::AppendJsonString;

// A count of Usage, as a row.
struct Counted {
  std::string_view key;     // in JSON
  std::string_view metric;  // in /metrics, behind tidemark_token_ or tidemark_database_
  std::string_view help;
  bool counter;
  uint64_t Usage::* value;
};
constexpr Counted kCounted[] = {
    {"points", "points_total", "Points written.", true, &Usage::points},
    {"bytes", "write_bytes_total", "Bytes of writes that were read.", true, &Usage::bytes},
    {"newSeries", "new_series_total", "Series made.", true, &Usage::new_series},
    {"newFields", "new_fields_total", "Fields made in measurements that had others.", true, &Usage::new_fields},
    {"series", "active_series", "Series written to within an hour or two, where that has a quota.", false,
     &Usage::series},
    {"queries", "queries_total", "Queries begun.", true, &Usage::queries},
    {"runningQueries", "running_queries", "Queries that run.", false, &Usage::running_queries},
    {"queryMemoryBytes", "query_memory_bytes", "Memory of queries that run.", false, &Usage::query_memory_bytes},
    {"refusedWrites", "refused_writes_total", "Writes beyond a quota.", true, &Usage::refused_writes},
    {"refusedRows", "refused_rows_total", "Rows of series beyond a quota.", true, &Usage::refused_rows},
    {"refusedQueries", "refused_queries_total", "Queries beyond a quota.", true, &Usage::refused_queries},
};

Response Succeed(const std::string& data) {
  Response response = http::JsonResponse(200, query::api::BeginSuccess() + data + query::api::SuccessTail({}, {}));
  response.Set("Cache-Control", "no-store");
  return response;
}

void AppendQuotas(std::string* out, const QuotaLimits& limits) {
  *out += R"(,"quotas":[)";
  bool first = true;
  for (const std::string& quota : PrintQuotas(limits)) {
    if (!first) *out += ',';
    first = false;
    AppendJsonString(out, quota);
  }
  *out += ']';
}

void AppendRow(std::string* out, std::string_view kind, std::string_view name, const QuotaLimits& limits,
               const Usage& usage) {
  if (out->size() > 1) *out += ',';
  *out += fmt::format(R"({{"kind":"{}","name":)", kind);
  AppendJsonString(out, name);
  AppendQuotas(out, limits);
  for (const Counted& counted : kCounted) *out += fmt::format(R"(,"{}":{})", counted.key, usage.*counted.value);
  *out += '}';
}

void AppendMetric(std::string* out, std::string_view of, const Counted& counted) {
  *out += fmt::format("# HELP tidemark_{}_{} {}\n# TYPE tidemark_{}_{} {}\n", of, counted.metric, counted.help, of,
                      counted.metric, counted.counter ? "counter" : "gauge");
}

}  // namespace

admin::ActHandlers<QuotaService> QuotaService::Handlers() {
  static constexpr admin::ActHandler<QuotaService> kHandlers[] = {
      {"usage", &QuotaService::ShowUsage},
      {"quota set", &QuotaService::SetQuotas},
      {"quota list", &QuotaService::ListQuotas},
  };
  return kHandlers;
}

Response QuotaService::ShowUsage(Request& /*request*/) const {
  std::string data = "[";
  for (const TokenUsage& token : tokens_()) AppendRow(&data, "token", token.token, token.limits, token.usage);
  for (const QuotaBook::Entry& entry : quotas_->List()) {
    AppendRow(&data, "database", entry.database, entry.limits, entry.usage);
  }
  return Succeed(data + ']');
}

Response QuotaService::SetQuotas(Request& request) const {
  const std::string database(request.database.empty() ? request.params.Get("db") : std::string_view(request.database));
  QuotaLimits limits;
  Status set;
  for (const std::string_view text : request.params.All("quota")) {
    if (set.ok()) set = ParseQuota(text, &limits);
  }
  if (set.ok()) set = quotas_->Set(database, limits, request.caller->name());
  if (!set.ok()) {
    using query::api::ErrorType;
    const bool wrong = set.error().code == ErrorCode::kInvalidArgument;
    const query::api::Reply reply =
        query::api::ErrorReply(wrong ? ErrorType::kBadData : ErrorType::kUnavailable, set.error().message);
    return http::JsonResponse(reply.status, reply.body);
  }
  std::string data = R"({"database":)";
  AppendJsonString(&data, database);
  AppendQuotas(&data, limits);
  return Succeed(data + '}');
}

Response QuotaService::ListQuotas(Request& /*request*/) const {
  std::string data = "[";
  for (const QuotaBook::Entry& entry : quotas_->List()) {
    if (data.size() > 1) data += ',';
    data += R"({"database":)";
    AppendJsonString(&data, entry.database);
    AppendQuotas(&data, entry.limits);
    data += '}';
  }
  return Succeed(data + ']');
}

std::string QuotaService::MetricsText() const {
  const std::vector<TokenUsage> tokens = tokens_();
  const std::vector<QuotaBook::Entry> databases = quotas_->List();
  std::string out;
  for (const Counted& counted : kCounted) {
    if (!tokens.empty()) AppendMetric(&out, "token", counted);
    for (const TokenUsage& token : tokens) {
      // The name of a token needs no escapes.
      out += fmt::format("tidemark_token_{}{{token=\"{}\"}} {}\n", counted.metric, token.token,
                         token.usage.*counted.value);
    }
    if (!databases.empty()) AppendMetric(&out, "database", counted);
    for (const QuotaBook::Entry& entry : databases) {
      std::string name;
      for (const char c : entry.database) {
        if (c == '"' || c == '\\') name += '\\';
        name += c;
      }
      out +=
          fmt::format("tidemark_database_{}{{database=\"{}\"}} {}\n", counted.metric, name, entry.usage.*counted.value);
    }
  }
  return out;
}

}  // namespace tidemark::server::quota
