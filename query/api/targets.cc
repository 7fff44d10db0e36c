// The endpoints about what a server that scrapes has and a store that is written to does not: targets, Alertmanagers,
// exemplars, notifications. They are there so that clients see an empty list and not an error.
#include <string>

#include "query/api/api.h"
#include "query/api/json.h"
#include "query/api/values.h"
#include "query/promql/parser.h"

namespace tidemark::query::api {
namespace {

Reply Fixed(std::string_view data) {
  std::string body = BeginSuccess();
  body += data;
  return EndSuccess(std::move(body));
}

}  // namespace

Reply QueryApi::QueryExemplars(const ApiRequest& request) const {
  const std::string_view start_text = request.params.Get("start");
  const std::string_view end_text = request.params.Get("end");
  const Result<int64_t> start = start_text.empty() ? Result<int64_t>(kMinTimeMs) : ParseTimeMs(start_text);
  if (!start.ok()) return BadParameter("start", start.error().Within("Invalid time value for 'start'"));
  const Result<int64_t> end = end_text.empty() ? Result<int64_t>(kMaxTimeMs) : ParseTimeMs(end_text);
  if (!end.ok()) return BadParameter("end", end.error().Within("Invalid time value for 'end'"));
  if (*end < *start) return ErrorReply(ErrorType::kBadData, "end timestamp must not be before start timestamp");
  const Result<promql::ExprPtr> expr = promql::Parse(request.params.Get("query"), options_.parse);
  if (!expr.ok()) return ErrorReply(ErrorType::kBadData, expr.error().message);
  return Fixed("[]");
}

Reply QueryApi::Targets() const {
  return Fixed(R"({"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}})");
}
Reply QueryApi::TargetsMetadata() const { return ErrorReply(ErrorType::kNotFound, "specified metadata not found"); }
Reply QueryApi::TargetsRelabelSteps(const ApiRequest& request) const {
  const std::string_view pool = request.params.Get("scrapePool");
  if (pool.empty()) return ErrorReply(ErrorType::kBadData, "no scrapePool parameter provided");
  if (request.params.Get("labels").empty()) return ErrorReply(ErrorType::kBadData, "no labels parameter provided");
  return ErrorReply(ErrorType::kBadData, "error getting relabel configs: scrape pool not found: " + std::string(pool));
}
Reply QueryApi::ScrapePools() const { return Fixed(R"({"scrapePools":[]})"); }
Reply QueryApi::Alertmanagers() const { return Fixed(R"({"activeAlertmanagers":[],"droppedAlertmanagers":[]})"); }
Reply QueryApi::Notifications() const { return Fixed("[]"); }

}  // namespace tidemark::query::api
