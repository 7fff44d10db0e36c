#include "tools/server/lifecycle/restart_service.h"

#include <fmt/core.h>
#include <unistd.h>

#include "query/api/envelope.h"
#include "storage/base/text/instant.h"
#include "storage/base/text/json_string.h"

namespace tidemark::server {
namespace {

using query::api::ErrorType;

http::Response Fail(const Error& error) {
  // What contradicts what goes on is a conflict, whatever an execution would call it.
  const int status = error.code == ErrorCode::kConflict ? 409 : error.code == ErrorCode::kTimeout ? 504 : 422;
  const ErrorType type = error.code == ErrorCode::kTimeout ? ErrorType::kTimeout : ErrorType::kExecution;
  return http::JsonResponse(status, query::api::ErrorReply(type, error.message).body);
}

http::Response Succeed(std::string data) {
  return http::JsonResponse(200, R"({"status":"success","data":)" + std::move(data) + '}');
}

}  // namespace

admin::ActHandlers<RestartService> RestartService::Handlers() {
  static constexpr admin::ActHandler<RestartService> kHandlers[] = {
      {"restart", &RestartService::Restart},
      {"restarts", &RestartService::ShowRestarts},
  };
  return kHandlers;
}

http::Response RestartService::Restart(http::Request& request) const {
  if (restarter_ == nullptr) return Fail(MakeError(ErrorCode::kUnsupported, "this process cannot be restarted"));
  if (const Status asked = restarter_->Ask(facts_(), request.stop); !asked.ok()) return Fail(asked.error());
  std::string data = fmt::format(R"({{"restarts":{},"program":)", restarter_->past().restarts);
  text::AppendJsonString(&data, restarter_->program().path);
  return Succeed(data + '}');
}

http::Response RestartService::ShowRestarts(http::Request& /*request*/) const {
  const Restarter::Past past = restarter_ == nullptr ? Restarter::Past() : restarter_->past();
  std::string data = fmt::format(R"({{"restarts":{},"pauseSeconds":{:.3f},"startTime":")", past.restarts,
                                 static_cast<double>(past.pause_ns) * 1e-9);
  text::AppendRfc3339(&data, start_ns_);
  data += fmt::format(R"(","pid":{},"version":)", ::getpid());
  text::AppendJsonString(&data, version_);
  data += R"(,"lastRefusal":)";
  text::AppendJsonString(&data, past.refusal);
  return Succeed(data + '}');
}

}  // namespace tidemark::server
