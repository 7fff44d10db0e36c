#include "tools/server/routes/query_gate.h"

#include <memory>
#include <string_view>
#include <utility>

namespace tidemark::server {
namespace {

using http::Lane;
using http::Request;
using http::Response;

// The places that one request takes.
using Places = std::vector<std::unique_ptr<quota::Account::Running>>;

bool IsQuery(const http::Route& route) {
  if (route.pattern == "/query") return true;
  return route.access == http::Access::kRead && (route.lane == Lane::kQuery || route.lane == Lane::kRead);
}

Response TooMany(const http::Route& route, const quota::Refusal& refusal) {
  Response response = route.refuse ? route.refuse(429, refusal.reason) : http::GoError(429, refusal.reason);
  response.Set("Retry-After", std::to_string(refusal.retry_s));
  return response;
}

}  // namespace

void GateQueries(const quota::QuotaBook* quotas, const std::string& default_database,
                 std::vector<http::Route>* routes) {
  for (http::Route& route : *routes) {
    if (!IsQuery(route)) continue;
    route.handler = [quotas, default_database, answer = std::move(route.handler)](Request& request) -> Response {
      std::string_view database = request.database.empty() ? request.params.Get("db") : request.database;
      if (database.empty()) database = default_database;
      quota::Account* const accounts[] = {request.caller->account(), quotas->Find(database)};
      auto places = std::make_shared<Places>();
      for (quota::Account* const account : accounts) {
        if (account == nullptr) continue;
        quota::Refusal refusal;
        auto place = account->BeginQuery(&refusal);
        if (place == nullptr) return TooMany(*request.route, refusal);
        places->push_back(std::move(place));
      }
      Response response = answer(request);
      if (response.produce && !places->empty()) {
        response.produce = [places, send = std::move(response.produce)](
                               const std::shared_ptr<http::ReplyStream>& stream) mutable { send(stream); };
      }
      return response;
    };
  }
}

}  // namespace tidemark::server
