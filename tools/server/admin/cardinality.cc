// The act "cardinality".
#include <fmt/core.h>

#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include "query/api/envelope.h"
#include "tools/cardinality/census.h"
#include "tools/server/admin/admin_service.h"

namespace tidemark::server {
namespace {

constexpr size_t kLimitDefault = 10;
constexpr size_t kLimitMax = 1000;

http::Response Answer(query::api::Reply reply) { return http::JsonResponse(reply.status, std::move(reply.body)); }

}  // namespace

http::Response AdminService::ShowCardinality(http::Request& request) const {
  using query::api::ErrorReply;
  cardinality::CensusOptions options;
  options.limit = kLimitDefault;
  if (const std::string_view text = request.params.Get("limit"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.limit);
    if (error != std::errc() || end != text.data() + text.size() || options.limit == 0 || options.limit > kLimitMax) {
      return Answer(ErrorReply(query::api::ErrorType::kBadData,
                               fmt::format("limit: \"{}\" is no whole number from 1 to {}", text, kLimitMax)));
    }
  }
  options.source_label = request.params.Get("source");
  options.look = [&request]() -> Status {
    if (!request.stop.stop_requested()) return {};
    return MakeError(ErrorCode::kCancelled, "the client went away");
  };
  std::string database = request.database;
  if (database.empty()) database = request.params.Get("db");
  if (database.empty()) database = storage::kDefaultDatabase;
  const auto census = cardinality::TakeCensus(*store_, database, options);
  if (!census.ok()) return Answer(ErrorReply(census.error()));
  return http::JsonResponse(
      200, R"({"status":"success","data":)" + cardinality::ToJson(*census, database, series_limit_) + '}');
}

}  // namespace tidemark::server
