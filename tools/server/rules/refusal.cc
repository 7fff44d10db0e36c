#include "tools/server/rules/refusal.h"

#include "query/api/envelope.h"

namespace tidemark::server {

http::Response RefuseRules(const Error& error) {
  using query::api::ErrorType;
  const auto reply = [&](int status, ErrorType type) {
    return http::JsonResponse(status, query::api::ErrorReply(type, error.message).body);
  };
  switch (error.code) {
    case ErrorCode::kInvalidArgument: return reply(400, ErrorType::kBadData);
    case ErrorCode::kNotFound: return reply(404, ErrorType::kNotFound);
    case ErrorCode::kConflict: return reply(409, ErrorType::kBadData);
    case ErrorCode::kLimitExceeded: return reply(413, ErrorType::kBadData);
    case ErrorCode::kCorruption: return reply(500, ErrorType::kInternal);
    default: return reply(503, ErrorType::kUnavailable);
  }
}

}  // namespace tidemark::server
