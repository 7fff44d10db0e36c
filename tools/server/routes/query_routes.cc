#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "query/api/envelope.h"
#include "tools/server/routes/areas.h"
#include "tools/server/routes/prometheus_reply.h"
#include "tools/server/routes/route_row.h"
#include "tools/server/routes/rules_right.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Request;
using http::Response;
using http::Scope;
using query::api::ErrorType;
using query::api::QueryApi;

// A handler out of a member of QueryApi.
template <auto kMethod>
Response Api(const Services& services, Request& request) {
  if constexpr (std::is_invocable_v<decltype(kMethod), const QueryApi*>) {
    return FromReply((services.api->*kMethod)());
  } else {
    return FromReply((services.api->*kMethod)(ToApi(request)));
  }
}

Response LabelValues(const Services& services, Request& request) {
  return FromReply(services.api->LabelValues(ToApi(request), request.captures[0]));
}

Response Federate(const Services& services, Request& request) {
  return FromReply(services.api->Federate(ToApi(request), request.Header("Accept")));
}

// The body is a question, not a change; a page of another origin can neither send this type nor read the answer.
Response RemoteRead(const Services& services, Request& request) {
  Response response = FromReply(services.api->RemoteRead(ToApi(request), request.body.view()));
  // Chunks are packed already.
  response.may_be_coded = false;
  return response;
}

// What rules see is in their database.
template <auto kMethod>
Response OfRules(const Services& services, Request& request) {
  if (!MayUseRules(Access::kRead, services.rules_database, &request)) return RefuseAsPrometheus(403, request.refusal);
  query::api::ApiRequest asked = ToApi(request);
  asked.database = services.rules_database;
  return FromReply((services.api->*kMethod)(asked));
}

// 204 tells the page of Prometheus that there is nothing to wait for.
Response NoLiveNotifications(const Services& /*services*/, Request& /*request*/) {
  Response response;
  response.status = 204;
  return response;
}

// New events as they come: server-sent events for who asks for them, else one JSON object a line.
Response FollowEvents(const Services& services, const Request& request) {
  Result<query::api::EventFilter> filter = services.api->ParseEventFilter(ToApi(request));
  if (!filter.ok()) return FromReply(query::api::ErrorReply(ErrorType::kBadData, filter.error().message));
  const bool sse = http::ListContains(request.Header("Accept"), "text/event-stream");
  Response response;
  response.content_type = sse ? "text/event-stream" : "application/x-ndjson";
  response.Set("Cache-Control", "no-store").Set("X-Accel-Buffering", "no");
  response.ends_at_drain = true;
  response.produce = [events = services.events, filter = std::move(filter).value(),
                      sse](const std::shared_ptr<http::ReplyStream>& stream) {
    const auto show = [stream, sse](const query::api::Event& event) {
      std::string line = sse ? "data: " : "";
      query::api::AppendEventJson(&line, event);
      line += sse ? "\n\n" : "\n";
      // A client that does not keep up is let go: it sees the end and can ask for what it missed.
      if (stream->TryPush(std::move(line))) return true;
      stream->Finish();
      return false;
    };
    const Status following = events->Follow(filter, show, [stream] { return !stream->closed(); });
    if (!following.ok()) {
      stream->Push((sse ? "event: error\ndata: " : "") +
                   query::api::ErrorReply(ErrorType::kUnavailable, following.error().message).body +
                   (sse ? "\n\n" : "\n"));
      stream->Finish();
    } else if (sse) {
      stream->TryPush(": following\n\n");
    }
  };
  return response;
}

Response Events(const Services& services, Request& request) {
  const std::string_view follow = request.params.Get("follow");
  return follow.empty() || follow == "0" ? FromReply(services.api->Events(ToApi(request)))
                                         : FollowEvents(services, request);
}

// Which databases it reads stands in the body, so that it asks for the right itself.
Response QueryBatch(const Services& services, Request& request) { return services.batches->Answer(request); }

constexpr RouteRow::Refuse kEnvelope = &RefuseAsPrometheus;

// What costs nothing is on the service lane, whose threads queries do not fill.
// clang-format off
constexpr RouteRow kRows[] = {
    {"/api/v1/read", Methods::kPost, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kMessage, nullptr, &RemoteRead},
    {"/api/v1/query", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kQuery, Body::kForm, kEnvelope, &Api<&QueryApi::Query>},
    {"/api/v1/query_range", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kQuery, Body::kForm, kEnvelope, &Api<&QueryApi::QueryRange>},
    {"/api/v1/query_batch", Methods::kPost, Access::kRead, Scope::kHandler, Lane::kQuery, Body::kJson, kEnvelope, &QueryBatch},
    {"/api/v1/format_query", Methods::kGetPost, Access::kRead, Scope::kSession, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::FormatQuery>},
    {"/api/v1/parse_query", Methods::kGetPost, Access::kRead, Scope::kSession, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::ParseQuery>},
    {"/api/v1/query_exemplars", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::QueryExemplars>},
    {"/api/v1/labels", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::Labels>},
    {"/api/v1/label/*/values", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, kEnvelope, &LabelValues},
    {"/api/v1/series", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::Series>},
    {"/api/v1/rows", Methods::kGetPost, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kForm, kEnvelope, &Api<&QueryApi::Rows>},
    {"/api/v1/metadata", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, kEnvelope, &Api<&QueryApi::Metadata>},
    {"/api/v1/status/tsdb", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, kEnvelope, &Api<&QueryApi::StatusTsdb>},
    {"/api/v1/status/tsdb/blocks", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, kEnvelope, &Api<&QueryApi::StatusTsdbBlocks>},
    {"/api/v1/status/buildinfo", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::BuildInfo>},
    {"/api/v1/status/config", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::StatusConfig>},
    {"/api/v1/status/flags", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::StatusFlags>},
    {"/api/v1/status/runtimeinfo", Methods::kGet, Access::kRead, Scope::kServer, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::StatusRuntimeInfo>},
    {"/api/v1/status/walreplay", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::WalReplay>},
    {"/api/v1/features", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::Features>},
    {"/api/v1/targets", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::Targets>},
    {"/api/v1/targets/metadata", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::TargetsMetadata>},
    {"/api/v1/targets/relabel_steps", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::TargetsRelabelSteps>},
    {"/api/v1/scrape_pools", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::ScrapePools>},
    {"/api/v1/alertmanagers", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::Alertmanagers>},
    {"/api/v1/notifications", Methods::kGet, Access::kRead, Scope::kSession, Lane::kService, Body::kNone, kEnvelope, &Api<&QueryApi::Notifications>},
    {"/api/v1/notifications/live", Methods::kGet, Access::kRead, Scope::kSession, Lane::kInline, Body::kNone, nullptr, &NoLiveNotifications},
    {"/federate", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, nullptr, &Federate},
    {"/api/v1/rules", Methods::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kEnvelope, &OfRules<&QueryApi::Rules>},
    {"/api/v1/alerts", Methods::kGet, Access::kRead, Scope::kHandler, Lane::kRead, Body::kNone, kEnvelope, &OfRules<&QueryApi::Alerts>},
    {"/api/v1/events", Methods::kGet, Access::kRead, Scope::kDatabase, Lane::kRead, Body::kNone, kEnvelope, &Events},
};
// clang-format on

}  // namespace

void AddQueryRoutes(const std::shared_ptr<const Services>& services, std::vector<http::Route>* routes) {
  AddRows(kRows, services, routes);
}

}  // namespace tidemark::server
