#include "tools/server/access/access_service.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/api/envelope.h"
#include "query/filter/filter_text.h"
#include "storage/base/check.h"
#include "storage/base/text/duration.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"
#include "tools/server/access/credentials.h"

namespace tidemark::server::access {
namespace {

using http::Request;
using http::Response;
using text::AppendJsonString;

constexpr int64_t kMsNs = 1'000'000;

Response Unkept(Response response) {
  response.Set("Cache-Control", "no-store");
  return response;
}

Response Succeed(const std::string& data) {
  return Unkept(http::JsonResponse(200, query::api::BeginSuccess() + data + query::api::SuccessTail({}, {})));
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kLimitExceeded: return 422;
    default: return 503;
  }
}

Response Fail(int status, std::string_view text) {
  using query::api::ErrorType;
  const ErrorType type = status == 503   ? ErrorType::kUnavailable
                         : status == 404 ? ErrorType::kNotFound
                                         : ErrorType::kBadData;
  return Unkept(http::JsonResponse(status, query::api::ErrorReply(type, text).body));
}
Response Fail(const Error& error) { return Fail(StatusOf(error.code), error.message); }

// `,"key":"2026-01-31T12:00:00Z"`, or null for 0 and for never.
void AppendTime(std::string* out, std::string_view key, int64_t ns) {
  *out += fmt::format(R"(,"{}":)", key);
  if (ns == 0 || ns == INT64_MAX) {
    *out += "null";
    return;
  }
  *out += '"';
  text::AppendRfc3339(out, ns);
  *out += '"';
}

void AppendTexts(std::string* out, std::string_view key, const std::vector<std::string>& texts) {
  *out += fmt::format(R"(,"{}":[)", key);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonString(out, texts[i]);
  }
  *out += ']';
}

void AppendGrants(std::string* out, std::span<const Grant> grants) {
  *out += R"(,"grants":[)";
  for (size_t i = 0; i < grants.size(); ++i) {
    if (i > 0) *out += ',';
    AppendJsonString(out, PrintGrant(grants[i]));
  }
  *out += ']';
}

// The members of a token's object, without its braces.
std::string TokenMembers(const Token& token, int64_t used_ns) {
  std::string out = R"("name":)";
  AppendJsonString(&out, token.name);
  AppendGrants(&out, token.grants);
  AppendTexts(&out, "filters", token.filters);
  AppendTexts(&out, "quotas", quota::PrintQuotas(token.quotas));
  AppendTexts(&out, "certificateNames", token.certificate_names);
  AppendTime(&out, "created", token.created_ns);
  AppendTime(&out, "expires", token.expires_ns);
  AppendTime(&out, "lastUsed", used_ns);
  out += R"(,"secrets":[)";
  for (size_t i = 0; i < token.secrets.size(); ++i) {
    out += fmt::format(R"({}{{"sha256":"{}")", i > 0 ? "," : "", PrintHash(token.secrets[i].sha256).substr(0, 16));
    AppendTime(&out, "created", token.secrets[i].created_ns);
    AppendTime(&out, "expires", EndOf(token, token.secrets[i]));
    out += '}';
  }
  out += R"(],"note":)";
  AppendJsonString(&out, token.note);
  return out;
}

std::string MadeJson(const TokenBook::Made& made) {
  std::string out = R"({"token":)";
  AppendJsonString(&out, made.secret);
  return out + ',' + TokenMembers(made.token, 0) + '}';
}

std::string SessionJson(const SessionInfo& info) {
  std::string out = R"({"id":)";
  AppendJsonString(&out, info.id);
  out += R"(,"token":)";
  AppendJsonString(&out, info.token);
  AppendTime(&out, "created", info.created_ns);
  AppendTime(&out, "expires", info.expires_ns);
  out += fmt::format(R"(,"kiosk":{},"peer":)", info.kiosk);
  AppendJsonString(&out, info.peer);
  out += R"(,"agent":)";
  AppendJsonString(&out, info.agent);
  return out + '}';
}

// The parameter `name`, a duration; `otherwise` without one. In nanoseconds.
Result<int64_t> DurationOf(const Request& request, std::string_view name, int64_t otherwise) {
  const std::string_view given = request.params.Get(name);
  if (given.empty()) return otherwise;
  const auto ms = text::ParseDurationMs(given);
  if (!ms || *ms <= 0 || *ms > INT64_MAX / kMsNs) {
    return InvalidArgument(fmt::format("{}=\"{}\" is not a duration such as 90d or 24h", name, given));
  }
  return *ms * kMsNs;
}

Status ReadQuotas(const Request& request, quota::QuotaLimits* quotas) {
  for (const std::string_view text : request.params.All("quota")) TM_RETURN_IF_ERROR(quota::ParseQuota(text, quotas));
  return {};
}

// The path is that of the whole server: the routes have no common prefix of their own. Lax would let a link of another
// page open the dashboard signed in; Strict costs a click and lets no request of another page in. Secure: a cookie that
// came encrypted never goes in clear.
std::string CookieHeader(const Request& request, const CookieScope& scope, std::string_view value, int64_t max_age_s) {
  return fmt::format("{}={}; Path={}; HttpOnly; SameSite=Strict; Max-Age={}{}", kSessionCookie, value, scope.path,
                     max_age_s, request.encrypted || scope.encrypted_outside ? "; Secure" : "");
}

}  // namespace

admin::ActHandlers<AccessService> AccessService::Handlers() {
  static constexpr admin::ActHandler<AccessService> kHandlers[] = {
      {"token new", &AccessService::NewToken},           {"token list", &AccessService::ListTokens},
      {"token quota", &AccessService::SetTokenQuotas},   {"token rotate", &AccessService::RotateToken},
      {"token revoke", &AccessService::RevokeToken},     {"session list", &AccessService::ListSessions},
      {"session revoke", &AccessService::RevokeSession},
  };
  return kHandlers;
}

Response AccessService::NewToken(Request& request) const {
  TokenBook::NewToken wanted;
  wanted.name = request.params.Get("name");
  wanted.note = request.params.Get("note");
  for (const std::string_view text : request.params.All("grant")) {
    Result<Grant> grant = ParseGrant(text);
    if (!grant.ok()) return Fail(grant.error());
    wanted.grants.push_back(std::move(grant).value());
  }
  for (const std::string_view name : request.params.All("certificate_name")) {
    wanted.certificate_names.emplace_back(name);
  }
  for (const std::string_view selector : request.params.All("filter")) wanted.filters.emplace_back(selector);
  if (const Status read = ReadQuotas(request, &wanted.quotas); !read.ok()) return Fail(read.error());
  const Result<int64_t> lifetime_ns = DurationOf(request, "expires", 0);
  if (!lifetime_ns.ok()) return Fail(lifetime_ns.error());
  const int64_t now_ns = clock_->NowNs();
  if (*lifetime_ns != 0) wanted.expires_ns = now_ns + std::min(*lifetime_ns, INT64_MAX - now_ns);
  const Result<TokenBook::Made> made = tokens_->Make(wanted, request.caller->name());
  return made.ok() ? Succeed(MadeJson(*made)) : Fail(made.error());
}

Response AccessService::ListTokens(Request& /*request*/) const {
  std::string data = "[";
  for (const TokenBook::Entry& entry : tokens_->List()) {
    if (data.size() > 1) data += ',';
    data += '{' + TokenMembers(entry.token, entry.used_ns) + '}';
  }
  return Succeed(data + ']');
}

Response AccessService::SetTokenQuotas(Request& request) const {
  quota::QuotaLimits quotas;
  if (const Status read = ReadQuotas(request, &quotas); !read.ok()) return Fail(read.error());
  const Result<Token> token = tokens_->SetQuotas(request.params.Get("name"), quotas, request.caller->name());
  return token.ok() ? Succeed('{' + TokenMembers(*token, 0) + '}') : Fail(token.error());
}

Response AccessService::RotateToken(Request& request) const {
  const Result<int64_t> overlap_ns = DurationOf(request, "overlap", 0);
  if (!overlap_ns.ok()) return Fail(overlap_ns.error());
  const Result<TokenBook::Made> made = tokens_->Rotate(request.params.Get("name"), *overlap_ns, request.caller->name());
  return made.ok() ? Succeed(MadeJson(*made)) : Fail(made.error());
}

Response AccessService::RevokeToken(Request& request) const {
  const std::string_view name = request.params.Get("name");
  const Status revoked = tokens_->Revoke(name, request.params.IsOn("last"), request.caller->name());
  if (!revoked.ok()) return Fail(revoked.error());
  std::string data = R"({"revoked":)";
  AppendJsonString(&data, name);
  return Succeed(data + '}');
}

Response AccessService::ListSessions(Request& /*request*/) const {
  std::string data = "[";
  for (const SessionInfo& info : sessions_->List()) {
    if (data.size() > 1) data += ',';
    data += SessionJson(info);
  }
  return Succeed(data + ']');
}

Response AccessService::RevokeSession(Request& request) const {
  const std::string_view id = request.params.Get("id");
  const Status revoked = sessions_->Revoke(id, request.caller->name());
  if (!revoked.ok()) return Fail(revoked.error());
  std::string data = R"({"revoked":)";
  AppendJsonString(&data, id);
  return Succeed(data + '}');
}

Response AccessService::SignIn(Request& request) const {
  const std::vector<std::string_view> shown = request.params.All("token");
  if (std::ranges::any_of(shown, [&](std::string_view secret) { return secret != shown.front(); })) {
    request.refusal = "the request shows two different tokens; send one";
    return Fail(401, request.refusal);
  }
  const Result<SessionBook::Opened> opened = sessions_->Open(request.params.Get("token"), request.params.IsOn("kiosk"),
                                                             request.peer, request.Header("User-Agent"));
  if (!opened.ok()) {
    request.refusal = opened.error().message;
    return Fail(opened.error().code == ErrorCode::kNotFound ? 401 : StatusOf(opened.error().code),
                opened.error().message);
  }
  request.caller = opened->caller;
  request.act = "sign in";
  Response response = WhoAmI(request);
  const SessionInfo& info = opened->caller->info();
  response.Set("Set-Cookie",
               CookieHeader(request, cookies_, opened->secret, (info.expires_ns - info.created_ns) / (1'000 * kMsNs)));
  return response;
}

Response AccessService::WhoAmI(Request& request) const {
  std::string data = R"({"name":)";
  AppendJsonString(&data, request.caller->name());
  data += fmt::format(R"(,"tokens":{})", tokens_->on());
  const auto session = std::dynamic_pointer_cast<const SessionCaller>(request.caller);
  const auto* principal = session ? &session->principal() : dynamic_cast<const Principal*>(request.caller.get());
  if (principal != nullptr) {
    AppendGrants(&data, principal->grants());
    if (principal->filter() != nullptr) {
      AppendTexts(&data, "filters", query::filter::SelectorsOf(*principal->filter()));
    }
    AppendTime(&data, "expires", session ? session->info().expires_ns : principal->end_ns());
  }
  if (session) {
    data += fmt::format(R"(,"kiosk":{},"csrf":)", session->info().kiosk);
    AppendJsonString(&data, session->forgery_value());
  }
  return Succeed(data + '}');
}

Response AccessService::SignOut(Request& request) const {
  const auto session = std::dynamic_pointer_cast<const SessionCaller>(request.caller);
  if (!session) return Fail(400, "there is no session to end: the request came with a token, or with nothing");
  const Status revoked = sessions_->Revoke(session->info().id, session->name());
  if (!revoked.ok()) return Fail(revoked.error());
  request.act = "sign out";
  Response response = Succeed("{}");
  response.Set("Set-Cookie", CookieHeader(request, cookies_, "", 0));
  return response;
}

}  // namespace tidemark::server::access
