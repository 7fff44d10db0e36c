#include "tools/server/routes.h"

#include <memory>
#include <utility>

#include "query/api/envelope.h"
#include "tools/server/dashboard_routes.h"

namespace tidemark::server {
namespace {

using http::Access;
using http::Lane;
using http::Method;
using http::Request;
using http::Response;
using http::Route;
using query::api::ApiRequest;
using query::api::ErrorType;
using query::api::Reply;

Response FromReply(Reply reply) {
  Response response = http::JsonResponse(reply.status, std::move(reply.body));
  response.content_type = std::move(reply.content_type);
  response.headers = std::move(reply.headers);
  if (reply.rest) {
    response.may_be_coded = true;
    response.produce = [rest = std::move(reply.rest)](const std::shared_ptr<http::ReplyStream>& stream) {
      rest([&stream](std::string piece) { return stream->Push(std::move(piece)); });
      stream->Finish();
    };
  }
  return response;
}

ApiRequest ToApi(const Request& request) {
  return {.params = request.params, .database = request.database, .stop = request.stop};
}

// A refusal in Prometheus' envelope.
Response RefuseAsPrometheus(int status, std::string_view text) {
  ErrorType type = ErrorType::kInternal;
  if (status == 503) type = ErrorType::kUnavailable;
  if (status >= 400 && status < 500) type = ErrorType::kBadData;
  Response response = FromReply(query::api::ErrorReply(type, text));
  response.status = status;
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

}  // namespace

std::vector<Route> MakeRoutes(const Services& s) {
  std::vector<Route> routes;
  const auto add = [&routes](Access access, Lane lane, std::vector<Method> methods, std::string pattern,
                             std::function<Response(Request&)> handler) -> Route& {
    Route& route = routes.emplace_back();
    route.access = access;
    route.lane = lane;
    route.methods = std::move(methods);
    route.pattern = std::move(pattern);
    route.handler = std::move(handler);
    return route;
  };
  // Reads of the Prometheus API; `post`: the parameters may come as a form.
  const auto api = [&add](std::string pattern, bool post, std::function<Reply(const Request&)> handler,
                          Lane lane = Lane::kRead) {
    std::vector<Method> methods = {Method::kGet};
    if (post) methods.push_back(Method::kPost);
    Route& route = add(Access::kRead, lane, std::move(methods), std::move(pattern),
                       [handler = std::move(handler)](Request& r) { return FromReply(handler(r)); });
    route.form = post;
    route.body_bytes_max = post ? kFormBytesMax : 0;
    route.refuse = RefuseAsPrometheus;
  };
  const auto refuse_as_influx = [](int status, std::string_view text) { return InfluxError(status, text); };

  // Points in.
  Route& write =
      add(Access::kWrite, Lane::kWrite, {Method::kPost}, "/write", [w = s.writes](Request& r) { return w->Write(r); });
  write.body_bytes_max = s.body_bytes_max;
  write.refuse = refuse_as_influx;
  Route& write2 = add(Access::kWrite, Lane::kWrite, {Method::kPost}, "/api/v2/write",
                      [w = s.writes](Request& r) { return w->WriteV2(r); });
  write2.body_bytes_max = s.body_bytes_max;
  write2.refuse = refuse_as_influx;
  Route& remote = add(Access::kWrite, Lane::kWrite, {Method::kPost}, "/api/v1/write",
                      [w = s.writes](Request& r) { return w->RemoteWrite(r); });
  remote.body_bytes_max = s.body_bytes_max;
  remote.own_coding = true;
  // The body is a question, not a change; a page of another origin can neither send this type nor read the answer.
  Route& read = add(Access::kRead, Lane::kRead, {Method::kPost}, "/api/v1/read", [q = s.api](Request& r) {
    Response response = FromReply(q->RemoteRead(ToApi(r), r.body.view()));
    // Chunks are packed already.
    response.may_be_coded = false;
    return response;
  });
  read.body_bytes_max = kFormBytesMax;
  read.own_coding = true;

  // What is asked before anything else.
  add(Access::kOpen, Lane::kInline, {Method::kGet}, "/ping", [i = s.influx](Request& r) { return i->Ping(r); });
  add(Access::kOpen, Lane::kService, {Method::kGet}, "/health", [i = s.influx](Request& r) { return i->Health(r); });
  add(Access::kOpen, Lane::kInline, {Method::kGet}, "/-/ready",
      [](Request&) { return http::TextResponse(200, "Tidemark is Ready.\n"); });
  add(Access::kOpen, Lane::kInline, {Method::kGet}, "/-/healthy",
      [](Request&) { return http::TextResponse(200, "Tidemark is Healthy.\n"); });

  // Prometheus' API.
  const query::api::QueryApi* const q = s.api;
  api("/api/v1/query", true, [q](const Request& r) { return q->Query(ToApi(r)); }, Lane::kQuery);
  api("/api/v1/query_range", true, [q](const Request& r) { return q->QueryRange(ToApi(r)); }, Lane::kQuery);
  api("/api/v1/format_query", true, [q](const Request& r) { return q->FormatQuery(ToApi(r)); });
  api("/api/v1/parse_query", true, [q](const Request& r) { return q->ParseQuery(ToApi(r)); });
  api("/api/v1/query_exemplars", true, [q](const Request& r) { return q->QueryExemplars(ToApi(r)); });
  api("/api/v1/labels", true, [q](const Request& r) { return q->Labels(ToApi(r)); });
  api("/api/v1/label/*/values", false, [q](const Request& r) { return q->LabelValues(ToApi(r), r.captures[0]); });
  api("/api/v1/series", true, [q](const Request& r) { return q->Series(ToApi(r)); });
  api("/api/v1/metadata", false, [q](const Request& r) { return q->Metadata(ToApi(r)); });
  api("/api/v1/status/tsdb", false, [q](const Request& r) { return q->StatusTsdb(ToApi(r)); });
  api("/api/v1/status/tsdb/blocks", false, [q](const Request& r) { return q->StatusTsdbBlocks(ToApi(r)); });
  // What costs nothing has threads of its own, so that it answers while queries fill theirs.
  const auto fixed = [&api, &routes](std::string pattern, std::function<Reply(const Request&)> handler) {
    api(std::move(pattern), false, std::move(handler));
    routes.back().lane = Lane::kService;
  };
  fixed("/api/v1/status/buildinfo", [q](const Request&) { return q->BuildInfo(); });
  fixed("/api/v1/status/config", [q](const Request&) { return q->StatusConfig(); });
  fixed("/api/v1/status/flags", [q](const Request&) { return q->StatusFlags(); });
  fixed("/api/v1/status/runtimeinfo", [q](const Request& r) { return q->StatusRuntimeInfo(ToApi(r)); });
  fixed("/api/v1/status/walreplay", [q](const Request&) { return q->WalReplay(); });
  fixed("/api/v1/features", [q](const Request&) { return q->Features(); });
  fixed("/api/v1/targets", [q](const Request&) { return q->Targets(); });
  fixed("/api/v1/targets/metadata", [q](const Request&) { return q->TargetsMetadata(); });
  fixed("/api/v1/targets/relabel_steps", [q](const Request& r) { return q->TargetsRelabelSteps(ToApi(r)); });
  fixed("/api/v1/scrape_pools", [q](const Request&) { return q->ScrapePools(); });
  fixed("/api/v1/alertmanagers", [q](const Request&) { return q->Alertmanagers(); });
  fixed("/api/v1/notifications", [q](const Request&) { return q->Notifications(); });
  // 204 tells the page of Prometheus that there is nothing to wait for.
  add(Access::kRead, Lane::kInline, {Method::kGet}, "/api/v1/notifications/live", [](Request&) {
    Response response;
    response.status = 204;
    return response;
  });
  add(Access::kRead, Lane::kRead, {Method::kGet}, "/federate",
      [q](Request& r) { return FromReply(q->Federate(ToApi(r), r.Header("Accept"))); });
  api("/api/v1/rules", false, [q](const Request& r) { return q->Rules(ToApi(r)); });
  api("/api/v1/alerts", false, [q](const Request&) { return q->Alerts(); });
  Route& events = add(Access::kRead, Lane::kRead, {Method::kGet}, "/api/v1/events", [s](Request& r) {
    return r.params.Get("follow").empty() || r.params.Get("follow") == "0" ? FromReply(s.api->Events(ToApi(r)))
                                                                           : FollowEvents(s, r);
  });
  events.refuse = RefuseAsPrometheus;

  // InfluxQL. Statements that change something come with POST only, so that no link or image can send them.
  Route& influx_get =
      add(Access::kRead, Lane::kRead, {Method::kGet}, "/query", [i = s.influx](Request& r) { return i->Query(r); });
  influx_get.refuse = refuse_as_influx;
  Route& influx_post =
      add(Access::kWrite, Lane::kRead, {Method::kPost}, "/query", [i = s.influx](Request& r) { return i->Query(r); });
  influx_post.form = true;
  influx_post.body_bytes_max = kFormBytesMax;
  influx_post.refuse = refuse_as_influx;

  // Administration.
  const auto admin = [&add](Method method, std::string pattern, std::function<Response(Request&)> handler) {
    Route& route = add(Access::kAdmin, Lane::kRead, {method}, std::move(pattern), std::move(handler));
    route.form = true;
    route.body_bytes_max = kFormBytesMax;
    route.refuse = RefuseAsPrometheus;
  };
  admin(Method::kPost, "/api/v1/admin/retention", [a = s.admin](Request& r) { return a->SetRetention(r); });
  admin(Method::kGet, "/api/v1/admin/retention", [a = s.admin](Request& r) { return a->ShowRetention(r); });
  admin(Method::kPost, "/api/v1/admin/rollup", [a = s.admin](Request& r) { return a->SetRollup(r); });
  admin(Method::kPost, "/api/v1/admin/delete", [a = s.admin](Request& r) { return a->Delete(r); });
  for (const Method method : {Method::kPost, Method::kPut}) {
    admin(method, "/api/v1/admin/tsdb/delete_series", [a = s.admin](Request& r) { return a->DeleteSeries(r); });
    admin(method, "/api/v1/admin/tsdb/clean_tombstones", [a = s.admin](Request& r) { return a->CleanTombstones(r); });
  }
  admin(Method::kGet, "/api/v1/admin/databases", [a = s.admin](Request& r) { return a->ShowDatabases(r); });
  admin(Method::kGet, "/api/v1/admin/rejections", [a = s.admin](Request& r) { return a->ShowRejections(r); });
  admin(Method::kPost, "/api/v1/admin/compact", [a = s.admin](Request& r) { return a->Compact(r); });
  admin(Method::kPost, "/api/v1/admin/checkpoint", [a = s.admin](Request& r) { return a->Checkpoint(r); });

  // For people and scrapers.
  add(Access::kRead, Lane::kService, {Method::kGet}, "/metrics", [metrics = s.metrics](Request&) {
    Response response = http::TextResponse(200, metrics());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  });
  AddDashboardRoutes(&routes);
  add(Access::kOpen, Lane::kInline, {Method::kGet}, "/", [](Request& r) {
    Response response;
    response.status = 302;
    response.Set("Location", r.database.empty() ? "/dashboard" : "/db/" + r.database + "/dashboard");
    return response;
  });
  return routes;
}

}  // namespace tidemark::server
