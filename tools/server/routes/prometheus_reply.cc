#include "tools/server/routes/prometheus_reply.h"

#include <memory>
#include <string>
#include <utility>

#include "query/api/envelope.h"
#include "storage/series_filter.h"
#include "tools/server/quota/account.h"

namespace tidemark::server {

using http::Request;
using http::Response;
using query::api::ErrorType;

Response FromReply(query::api::Reply reply) {
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

query::api::ApiRequest ToApi(const Request& request) {
  query::api::OnDeadline on_deadline;
  if (request.late != nullptr) {
    on_deadline = [late = request.late](int64_t deadline_ns, query::api::Reply reply) {
      late->AnswerAt(deadline_ns, FromReply(std::move(reply)));
    };
  }
  return {.params = request.params,
          .database = request.database,
          .filter = storage::SeriesFilter::Of(request.caller->filter()),
          .stop = request.stop,
          .client = http::ClientOf(request),
          .memory = request.caller->account() != nullptr ? request.caller->account()->memory() : nullptr,
          .on_deadline = std::move(on_deadline)};
}

Response RefuseAsPrometheus(int status, std::string_view text) {
  ErrorType type = ErrorType::kInternal;
  if (status == 503) type = ErrorType::kUnavailable;
  if (status >= 400 && status < 500) type = ErrorType::kBadData;
  Response response = FromReply(query::api::ErrorReply(type, text));
  response.status = status;
  return response;
}

}  // namespace tidemark::server
