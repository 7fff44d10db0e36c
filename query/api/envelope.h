// Prometheus' reply: {"status":"success","data":...,"warnings":[...]} or {"status":"error","errorType":...}, with its
// HTTP codes. Source: web/api/v1/api.go of Prometheus 3.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/result.h"

namespace tidemark::query::api {

// A reply before it becomes HTTP.
struct Reply {
  // Takes the next piece; false: nobody wants more.
  using Push = std::function<bool(std::string piece)>;

  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  // Set for a reply too long to be held whole: called once, on any thread, it gives what follows `body` in pieces.
  std::function<void(const Push& push)> rest = nullptr;
};

// What went wrong, in Prometheus' terms; decides the HTTP code.
enum class ErrorType {
  kBadData,        // 400
  kExecution,      // 422
  kCanceled,       // 499
  kTimeout,        // 503
  kInternal,       // 500
  kUnavailable,    // 503
  kNotFound,       // 404
  kNotAcceptable,  // 406
};

// "bad_data", ...
std::string_view Name(ErrorType type);
int HttpStatus(ErrorType type);

// The one place where our codes become Prometheus' while a query runs; kInvalidArgument is an execution error there.
ErrorType ExecutionErrorType(ErrorCode code);

Reply ErrorReply(ErrorType type, std::string_view message);
// Of an error of the work itself: by ExecutionErrorType.
Reply ErrorReply(const Error& error);
// kBadData: `invalid parameter "name": ` in front of the error.
Reply BadParameter(std::string_view name, const Error& error);

// Opens `{"status":"success","data":` in a buffer, for the data to follow.
std::string BeginSuccess(size_t expected_bytes = 256);
// Closes it behind the data, with the notes that there are. The first gives the closing bytes alone.
std::string SuccessTail(const std::vector<std::string>& warnings, const std::vector<std::string>& infos);
Reply EndSuccess(std::string body, const std::vector<std::string>& warnings = {},
                 const std::vector<std::string>& infos = {});

}  // namespace tidemark::query::api
