#include "tools/server/http/router.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "storage/base/clock.h"
#include "tools/server/http/endpoint.h"
#include "tools/server/http/form.h"

namespace tidemark::http {
namespace {

// Takes the next segment off `path`, which begins with '/'.
std::string_view TakeSegment(std::string_view* path) {
  path->remove_prefix(1);
  const size_t end = std::min(path->find('/'), path->size());
  const std::string_view segment = path->substr(0, end);
  path->remove_prefix(end);
  return segment;
}

bool Matches(std::string_view pattern, std::string_view path, std::vector<std::string>* captures) {
  captures->clear();
  while (!pattern.empty() && !path.empty()) {
    if (pattern.front() != '/' || path.front() != '/') return false;
    const std::string_view wanted = TakeSegment(&pattern);
    const std::string_view segment = TakeSegment(&path);
    if (wanted == "*") {
      if (segment.empty()) return false;
      captures->emplace_back(segment);
    } else if (wanted != segment) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

// Stands for a slash within a segment, which is sent as %2F, while a path is taken apart.
constexpr char kOwnSlash = '\0';

// Puts that in place of such slashes of a percent-encoded path. False: there are none, or the path has the byte itself.
bool MarkOwnSlashes(std::string* raw_path) {
  if (raw_path->find("%00") != std::string::npos || raw_path->find(kOwnSlash) != std::string::npos) return false;
  bool marked = false;
  for (size_t at = raw_path->find('%'); at != std::string::npos; at = raw_path->find('%', at + 1)) {
    if (raw_path->compare(at, 3, "%2F") != 0 && raw_path->compare(at, 3, "%2f") != 0) continue;
    raw_path->replace(at, 3, "%00");
    marked = true;
  }
  return marked;
}

void ShowOwnSlashes(std::string* text) { std::ranges::replace(*text, kOwnSlash, '/'); }

bool Takes(const Route& route, Method method) {
  if (method == Method::kHead) method = Method::kGet;
  return std::find(route.methods.begin(), route.methods.end(), method) != route.methods.end();
}

// A question of Access::kRead may come with POST, because it is long.
bool MayChange(const Route& route, Method method) {
  switch (route.access) {
    case Access::kRead: return false;
    case Access::kWrite:
    case Access::kAdmin: return true;
    case Access::kOpen:
    case Access::kAny: return method != Method::kGet && method != Method::kHead;
  }
  return true;
}

// The schemes of this server, and their ports (RFC 9110, 4.2).
struct Scheme {
  std::string_view prefix;
  uint16_t port;
};
constexpr Scheme kSchemes[] = {{"http://", 80}, {"https://", 443}};

const Scheme* SchemeOf(std::string_view url) {
  const auto* const found = std::ranges::find_if(kSchemes, [url](const Scheme& scheme) {
    return EqualsNoCase(url.substr(0, scheme.prefix.size()), scheme.prefix);
  });
  return found == std::end(kSchemes) ? nullptr : found;
}

constexpr std::string_view kDatabasePrefix = "/db/";

Admission Refused(Response response) {
  Admission admission;
  admission.refusal = std::move(response);
  return admission;
}

// `path` as it was sent, without empty segments and without `.` and `..`. It begins with exactly one slash, so that no
// client takes it for another host.
std::string CleanPath(std::string_view path) {
  std::vector<std::string_view> kept;
  while (path.starts_with('/')) {
    const std::string_view segment = TakeSegment(&path);
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) {
    out += '/';
    out += segment;
  }
  return out.empty() ? "/" : out;
}

}  // namespace

std::string_view Name(Scope scope) {
  switch (scope) {
    case Scope::kServer: return "server";
    case Scope::kSession: return "session";
    case Scope::kDatabase: return "database";
    case Scope::kHandler: return "handler";
  }
  return "?";
}

Router::Router(std::vector<Route> routes, RouterOptions options)
    : routes_(std::move(routes)), options_(std::move(options)), tallies_(routes_.size() + 1) {}

bool Router::OriginAllowed(std::string_view origin, const Authority& own) const {
  const auto& allowed = options_.allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return true;
  if (!options_.own_origin.empty() && origin == options_.own_origin) return true;
  const Scheme* const scheme = SchemeOf(origin);  // null of the origin "null" too
  if (scheme == nullptr) return false;
  const Result<Authority> page = ParseAuthority(origin.substr(scheme->prefix.size()));
  if (!page.ok() || !SameAuthority(*page, own, scheme->port)) return false;
  const bool asks = options_.gatekeeper != nullptr && options_.gatekeeper->AsksForCredentials();
  return asks || IsLoopback(own);
}

void Router::AddCors(const Request& request, Response* response) const {
  const std::string_view origin = request.Header("Origin");
  const auto& allowed = options_.allowed_origins;
  if (origin.empty() || std::find(allowed.begin(), allowed.end(), origin) == allowed.end()) return;
  // As Prometheus has it, and what this path takes beside.
  std::string further;
  std::vector<std::string> captures;
  for (const Route& route : routes_) {
    if (!Matches(route.pattern, request.path, &captures)) continue;
    for (const Method method : route.methods) {
      if (method != Method::kGet && method != Method::kPost) further += fmt::format(", {}", Name(method));
    }
  }
  // What is put is put over a version that the page has seen.
  const bool versioned = further.find(Name(Method::kPut)) != std::string::npos;
  response->Set("Access-Control-Allow-Origin", std::string(origin))
      .Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS" + further)
      .Set("Access-Control-Allow-Headers",
           fmt::format("Accept, Authorization, Content-Type, Origin{}", versioned ? ", If-Match, If-None-Match" : ""))
      .Set("Access-Control-Expose-Headers", versioned ? "Date, ETag" : "Date")
      .Set("Vary", "Origin");
}

bool Router::Serves(std::string_view raw_path) const {
  Result<std::string> path = text::PercentDecode(raw_path, false);
  if (!path.ok()) return false;
  if (!TakeRoutePrefix(&*path)) return false;
  std::string_view rest = *path;
  if (rest.starts_with(kDatabasePrefix)) {
    rest.remove_prefix(kDatabasePrefix.size() - 1);
    static_cast<void>(TakeSegment(&rest));
    if (rest.empty()) rest = "/";
  }
  std::vector<std::string> captures;
  return std::ranges::any_of(routes_, [&](const Route& route) { return Matches(route.pattern, rest, &captures); });
}

bool Router::TakeRoutePrefix(std::string* path) const {
  const std::string& prefix = options_.route_prefix;
  if (prefix.empty()) return true;
  if (!path->starts_with(prefix) || (path->size() > prefix.size() && (*path)[prefix.size()] != '/')) return false;
  path->erase(0, prefix.size());
  if (path->empty()) *path = "/";
  return true;
}

Response Router::BesideRoutePrefix(const Request& head) {
  const bool get = head.method == Method::kGet || head.method == Method::kHead;
  if (head.path != "/" || !get) return Refuse(404, "404 page not found", &head);
  Response response = GoError(302, "Found");
  response.Set("Location", options_.external_path + "/");
  Count(head, response.status);
  return response;
}

void Router::CompleteLocation(Response* response) const {
  if (options_.external_path.empty()) return;
  for (auto& [name, value] : response->headers) {
    if (name == "Location" && value.starts_with('/')) value.insert(0, options_.external_path);
  }
}

std::optional<Router::TargetParts> Router::PartsOf(std::string_view target) {
  size_t path_at = 0;
  std::optional<std::string_view> authority;
  if (!target.empty() && target.front() != '/') {
    const Scheme* const scheme = SchemeOf(target);
    if (scheme == nullptr && target != "*") return std::nullopt;
    path_at = target.size();
    if (scheme != nullptr) {
      const size_t host_at = scheme->prefix.size();
      path_at = std::min(target.find_first_of("/?#", host_at), target.size());
      authority = target.substr(host_at, path_at - host_at);
      if (authority->empty()) return std::nullopt;
    }
  }
  const size_t query_at = std::min(target.find_first_of("?#", path_at), target.size());
  TargetParts parts{authority, target.substr(path_at, query_at - path_at), {}, target.substr(query_at)};
  if (parts.rest.starts_with('?')) parts.query = parts.rest.substr(1, parts.rest.find('#') - 1);
  return parts;
}

Admission Router::Admit(Request* head) {
  const std::optional<TargetParts> parts = PartsOf(head->target);
  if (!parts) return Refused(Refuse(400, "400 Bad Request", head));
  Result<Authority> own = ParseAuthority(head->Header("Host"));
  if (own.ok() && parts->authority) own = ParseAuthority(*parts->authority);
  if (!own.ok()) return Refused(Refuse(400, "malformed Host: " + own.error().message, head));
  std::string raw_path(parts->path);
  const bool own_slashes = MarkOwnSlashes(&raw_path);
  const auto show_slashes = [own_slashes](std::string* text) {
    if (own_slashes) ShowOwnSlashes(text);
  };
  Result<std::string> path = text::PercentDecode(raw_path, false);
  if (!path.ok()) return Refused(Refuse(400, path.error().message, head));
  head->path = std::move(path).value();
  if (head->path.empty()) head->path = "/";
  if (!TakeRoutePrefix(&head->path)) {
    show_slashes(&head->path);
    return Refused(BesideRoutePrefix(*head));
  }
  if (head->path.starts_with(kDatabasePrefix)) {
    std::string_view rest = head->path;
    rest.remove_prefix(kDatabasePrefix.size() - 1);
    head->database = TakeSegment(&rest);
    if (head->database.empty()) return Refused(Refuse(404, "404 page not found", head));
    head->path = rest.empty() ? "/" : std::string(rest);
    show_slashes(&head->database);
  }
  std::string allow;
  const Route* found = FindRoute(head, &allow);
  show_slashes(&head->path);
  for (std::string& capture : head->captures) show_slashes(&capture);
  // Who escapes the slashes between the segments too is understood, where there is no other such path.
  if (own_slashes && found == nullptr && allow.empty()) found = FindRoute(head, &allow);
  if (found == nullptr) return Refused(allow.empty() ? NoSuchPath(*parts, *head) : NoSuchMethod(allow, *head));
  head->route = found;
  if (const Status parsed = text::ParseForm(parts->query, &head->params); !parsed.ok()) {
    return Refused(Refuse(400, parsed.error().message, head));
  }
  return Check(*found, *own, head);
}

const Route* Router::FindRoute(Request* head, std::string* allow) const {
  for (const Route& route : routes_) {
    if (!Matches(route.pattern, head->path, &head->captures)) continue;
    if (Takes(route, head->method)) return &route;
    for (const Method method : route.methods) {
      *allow += allow->empty() ? "" : ", ";
      *allow += Name(method);
    }
  }
  return nullptr;
}

Admission Router::Check(const Route& route, const Authority& own, Request* head) {
  const std::string_view origin = head->Header("Origin");
  if (!origin.empty() && MayChange(route, head->method) && !OriginAllowed(origin, own)) {
    return Refused(Refuse(403, "a page from another origin may change nothing here", head));
  }
  if (options_.gatekeeper != nullptr) {
    if (route.access != Access::kOpen && !options_.gatekeeper->KnowsHost(own)) {
      return Refused(Refuse(
          403, fmt::format("this server is not known by the name \"{}\": see http.allowed_hosts", own.host), head));
    }
    if (const auto refusal = options_.gatekeeper->Admit(head)) {
      Response response = Refuse(refusal->status, refusal->text, head);
      if (!refusal->challenge.empty()) response.Set("WWW-Authenticate", refusal->challenge);
      return Refused(std::move(response));
    }
  }
  const std::string_view coding = head->Header("Content-Encoding");
  if (!coding.empty() && !route.own_coding && !EqualsNoCase(coding, "gzip") && !EqualsNoCase(coding, "x-gzip") &&
      !EqualsNoCase(coding, "identity")) {
    return Refused(Refuse(415, "the only content encoding taken is gzip", head));
  }
  Admission admission;
  admission.lane = route.lane;
  admission.body_bytes_max = route.body_bytes_max;
  return admission;
}

std::optional<Response> Router::CheckScope(const Request& request) {
  const Route& route = *request.route;
  if (request.caller->filter() != nullptr && !route.filtered) {
    return Refuse(403,
                  fmt::format("\"{}\" sees the series of its filter only: {}", request.caller->name(),
                              route.unfiltered.empty() ? "this cannot be held to them" : route.unfiltered),
                  &request);
  }
  switch (route.scope) {
    case Scope::kServer:
      if (request.caller->MayEverywhere(route.access)) return std::nullopt;
      return Refuse(403,
                    fmt::format("\"{}\" may not {} what concerns the whole server: that needs {}:*",
                                request.caller->name(), Name(route.access), Name(route.access)),
                    &request);
    case Scope::kDatabase: {
      std::string_view database = request.database.empty() ? request.params.Get("db") : request.database;
      if (database.empty()) database = options_.default_database;
      if (request.caller->May(route.access, database)) return std::nullopt;
      return Refuse(403,
                    fmt::format("\"{}\" has no right to {} the database \"{}\"", request.caller->name(),
                                route.access == Access::kAdmin ? "administer" : Name(route.access), database),
                    &request);
    }
    case Scope::kSession:
    case Scope::kHandler: return std::nullopt;
  }
  return std::nullopt;
}

Response Router::NoSuchPath(const TargetParts& parts, const Request& head) {
  std::string clean = CleanPath(parts.path);
  // A prefix that is written otherwise, with escapes, is not looked for.
  const bool below = clean.starts_with(options_.route_prefix);
  if (clean == parts.path || !below || !Serves(clean)) return Refuse(404, "404 page not found", &head);
  clean.erase(0, options_.route_prefix.size());
  if (clean.empty()) clean = "/";
  // As Go's servers do. Other methods than GET keep theirs.
  const bool get = head.method == Method::kGet || head.method == Method::kHead;
  Response response = GoError(get ? 301 : 308, get ? "Moved Permanently" : "Permanent Redirect");
  response.Set("Location", clean + std::string(parts.rest));
  CompleteLocation(&response);
  AddCors(head, &response);
  Count(head, response.status);
  return response;
}

Response Router::NoSuchMethod(const std::string& allow, const Request& head) {
  Response response;
  if (head.method == Method::kOptions) {
    response.status = 204;
    response.content_type = {};
  } else {
    response = GoError(405, "Method Not Allowed");
  }
  response.Set("Allow", allow);
  AddCors(head, &response);
  return response;
}

Response Router::Handle(Request* request) {
  const int64_t began = SystemClock::Get().SteadyNs();
  if (request->method == Method::kPost && request->body.size() > 0 && request->route->form &&
      IsForm(request->Header("Content-Type"))) {
    text::Params form;
    if (const Status parsed = ParseFormBody(request->Header("Content-Type"), request->body.view(), &form);
        !parsed.ok()) {
      return Refuse(400, parsed.error().message, request);
    }
    request->params.Prepend(std::move(form));
  }
  if (std::optional<Response> refusal = CheckScope(*request)) return std::move(*refusal);
  Response response = request->route->handler(*request);
  Conclude(*request, began, &response);
  return response;
}

Deferral Router::Defer(Request* request, Answerer* answer) {
  if (request->route == nullptr || request->route->defer == nullptr || CheckScope(*request)) return {};
  const int64_t began = SystemClock::Get().SteadyNs();
  // Put back when the route does not take it.
  auto held = std::make_shared<Answerer>(std::move(*answer));
  Answerer concluding = [this, request, began, held](Response response) {
    Conclude(*request, began, &response);
    (*held)(std::move(response));
  };
  Deferral deferral = request->route->defer(*request, &concluding);
  if (!deferral.taken) *answer = std::move(*held);
  return deferral;
}

void Router::Conclude(const Request& request, int64_t began_ns, Response* response) {
  const bool changes = request.route->access == Access::kAdmin && MayChange(*request.route, request.method) &&
                       request.method != Method::kGet && request.method != Method::kHead;
  if (options_.observer != nullptr) {
    const bool refused = response->status == 401 || response->status == 403 || !request.refusal.empty();
    if (refused) options_.observer->Refused(request, response->status, request.refusal);
    if (!request.act.empty() || (changes && !refused)) options_.observer->Changed(request, response->status);
  }
  CompleteLocation(response);
  AddCors(request, response);
  Count(request, response->status);
  const auto index = static_cast<size_t>(request.route - routes_.data());
  tallies_[index].handler_ns.fetch_add(static_cast<uint64_t>(SystemClock::Get().SteadyNs() - began_ns),
                                       std::memory_order_relaxed);
}

Response Router::Refuse(int status, std::string_view text, const Request* head) {
  Response response =
      head->route != nullptr && head->route->refuse ? head->route->refuse(status, text) : GoError(status, text);
  AddCors(*head, &response);
  Count(*head, status);
  if (options_.observer != nullptr && (status == 401 || status == 403)) {
    options_.observer->Refused(*head, status, text);
  }
  return response;
}

void Router::Count(const Request& request, int status) {
  const size_t index = request.route != nullptr ? static_cast<size_t>(request.route - routes_.data()) : routes_.size();
  tallies_[index].replies[std::clamp(status / 100, 0, 5)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace tidemark::http
