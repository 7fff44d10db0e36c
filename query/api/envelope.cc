#include "query/api/envelope.h"

#include "query/api/json.h"
#include "query/api/values.h"
#include "query/run/memory_total.h"

namespace tidemark::query::api {
namespace {

void AppendNotes(std::string* out, std::string_view name, const std::vector<std::string>& notes) {
  if (notes.empty()) return;
  out->push_back(',');
  AppendJsonString(out, name);
  out->push_back(':');
  char separator = '[';
  for (const std::string& note : notes) {
    out->push_back(separator);
    AppendJsonString(out, note);
    separator = ',';
  }
  out->push_back(']');
}

}  // namespace

std::string_view Name(ErrorType type) {
  switch (type) {
    case ErrorType::kBadData: return "bad_data";
    case ErrorType::kExecution: return "execution";
    case ErrorType::kCanceled: return "canceled";
    case ErrorType::kTimeout: return "timeout";
    case ErrorType::kInternal: return "internal";
    case ErrorType::kUnavailable: return "unavailable";
    case ErrorType::kNotFound: return "not_found";
    case ErrorType::kNotAcceptable: return "not_acceptable";
  }
  return "internal";
}

int HttpStatus(ErrorType type) {
  switch (type) {
    case ErrorType::kBadData: return 400;
    case ErrorType::kExecution: return 422;
    case ErrorType::kCanceled: return 499;
    case ErrorType::kTimeout:
    case ErrorType::kUnavailable: return 503;
    case ErrorType::kInternal: return 500;
    case ErrorType::kNotFound: return 404;
    case ErrorType::kNotAcceptable: return 406;
  }
  return 500;
}

ErrorType ExecutionErrorType(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kLimitExceeded:
    case ErrorCode::kUnsupported:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict: return ErrorType::kExecution;
    case ErrorCode::kNotFound: return ErrorType::kNotFound;
    case ErrorCode::kTimeout: return ErrorType::kTimeout;
    case ErrorCode::kCancelled: return ErrorType::kCanceled;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kUnavailable: return ErrorType::kUnavailable;
    case ErrorCode::kCorruption:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return ErrorType::kInternal;
  }
  return ErrorType::kInternal;
}

Reply ErrorReply(ErrorType type, std::string_view message) {
  Reply reply;
  reply.status = HttpStatus(type);
  reply.body = R"({"status":"error","errorType":")";
  reply.body += Name(type);
  reply.body += R"(","error":)";
  AppendJsonString(&reply.body, message);
  reply.body += '}';
  if (type == ErrorType::kUnavailable) reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

Reply ErrorReply(const Error& error) {
  Reply reply = ErrorReply(ExecutionErrorType(error.code), error.message);
  // Others are still served: it is the caller who is to wait.
  if (error.code == ErrorCode::kResourceExhausted && error.message.starts_with(run::kQuotaWords)) {
    reply.status = 429;
    reply.headers.emplace_back("Retry-After", "1");
  }
  return reply;
}

Reply BadParameter(std::string_view name, const Error& error) {
  return ErrorReply(ErrorType::kBadData, InvalidParameter(name, error).message);
}

std::string BeginSuccess(size_t expected_bytes) {
  std::string body;
  body.reserve(expected_bytes);
  body += R"({"status":"success","data":)";
  return body;
}

std::string SuccessTail(const std::vector<std::string>& warnings, const std::vector<std::string>& infos) {
  std::string tail;
  AppendNotes(&tail, "warnings", warnings);
  AppendNotes(&tail, "infos", infos);
  tail += '}';
  return tail;
}

Reply EndSuccess(std::string body, const std::vector<std::string>& warnings, const std::vector<std::string>& infos) {
  Reply reply;
  reply.body = std::move(body);
  reply.body += SuccessTail(warnings, infos);
  return reply;
}

}  // namespace tidemark::query::api
